"""The page of benchmarks says what the results say."""

from __future__ import annotations

from benchmarks import page


def test_the_page_is_what_the_results_say() -> None:
    measured = page.results()
    assert page.PAGE.read_text(encoding="utf-8") == page.page(measured), (
        "docs/benchmarks.md is out of date. Type: make docs"
    )
    assert page.CHART.read_text(encoding="utf-8") == page.chart(measured), (
        "docs/images/benchmarks.svg is out of date. Type: make docs"
    )


def test_a_target_that_was_missed_is_not_hidden() -> None:
    spread = {"median": 5.0, "min": 4.0, "max": 6.0}
    result = {
        "name": "train-full",
        "work": "Train.",
        "unit": "images",
        "what": "images/s over the guide's",
        "ratio": spread,
        "target": {"at_least": 8},
        "met": False,
        "also": [],
        "sides": {
            "guide": {
                "label": "the guide",
                "per_second": spread,
                "seconds_per_turn": spread,
                "peak_memory_bytes": 2_000_000,
                "added_memory_bytes": 1_000_000,
            }
        },
        "matrix_product_flop_per_s": {"fp32": 1e11},
        "rounds": 3,
        "machine": {"processor": "A processor", "cores": 2, "flags": ["avx2"], "memory_gb": 24.0},
        "versions": {"python": "3.11", "torch": "2.13", "transformers": "5.23"},
        "date": "2026-01-01",
        "command": "make bench ONLY=train-full",
    }
    text = page.page({"train-full": result})
    assert (
        "| [train-full](#train-full) | images/s over the guide's | **5** | 4 to 6 | at least 8 | **no** |"
        in text
    )
    assert "| the guide | 5 (4 to 6) | 5 |" in text
