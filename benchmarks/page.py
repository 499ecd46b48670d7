"""Write `docs/benchmarks.md` and its chart from `benchmarks/results`. Type `make docs`; a test compares them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.__main__ import NAMES
from benchmarks.comparison import RESULTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "images" / "benchmarks.svg"

GPU_NAMES = ("gpu-train", "gpu-caption-greedy", "gpu-caption-beams")

INTRODUCTION = """\
<!-- Written by benchmarks/page.py from benchmarks/results; run the benchmarks, then type: make docs -->

# Benchmarks

What leyenda saves, beside what a person would run instead: the recipe of the usual fine-tuning guide
(`benchmarks/guide_recipe.py`), `transformers`' `generate`, the checkpoint's own image processor.

Type `make bench` for all of them, or `make bench ONLY=train-full` for one. The figures on this page are from one
machine. Yours will differ; the ratios will differ less.
"""

METHOD = """\
## How it is measured

- Each side runs in a process of its own and has turns: a turn of the one, a turn of the other, the next round the
  other way round. While one works, the others wait. A ratio is taken in each round; shown are the median of the
  rounds and, in brackets, the least and the greatest. All processes have warmed up before the first turn.
- The model has the architecture of `microsoft/git-base` (224 pixels, 177 million weights, 30,522 word pieces) and
  random weights: speed does not depend on what the weights are, and nothing has to be downloaded. Random weights
  hardly ever end a caption, so that both sides write all 12 tokens; where both compute in fp32, the benchmark fails
  unless they write the very same ones.
- Training is held between two steps of a run that was started as a user starts it: `Trainer.train` for the guide,
  `leyenda train` with a recipe for leyenda. What the model was given is counted at its door.
- The guide trains with steps of 32 images, accumulated twice. Here it has 4 or 8 at a time, for a step of 64 takes six
  minutes; compare its images per second in `train-full` (8) and `train-frozen` (4).
- *Needed* operations (`benchmarks/git_flops.py`) are those that the result depends on. Padding, vocabulary logits where
  no word is predicted, and an image encoded a second time are work, but not needed work. A test holds the count
  against torch's own counter. The ceiling is the rate of plain matrix products of the model's shapes, measured in the
  same run in turns of their own: of four shapes the fastest, each over five moments of its turn (until November 2026
  over one, which overstates it where the machine's rate swings).
- Memory is the greatest resident size of a side's process during its turns; *added* is above what it was before.
"""


def results(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What was measured, by name, in the order of the page."""
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))
    }
    trials = [name for name, result in found.items() if result["quick"]]
    assert not trials, f"these are trials, not results: {trials}"
    return {name: found[name] for name in (*NAMES, *GPU_NAMES) if name in found}


def page(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    if measured:
        parts += [_overview(measured), METHOD, "## One by one\n"]
        parts += ["\n".join(_section(result)) for result in measured.values()]
    else:
        parts += ["Nothing has been measured yet.\n", METHOD]
    return "\n".join(parts)


def _overview(measured: Mapping[str, Mapping[str, Any]]) -> str:
    chart = f"![The ratios of this page, as bars](images/{CHART.name})\n\n"
    rows = ["| Benchmark | Ratio | Median | Range | Target | Met |", "|---|---|---|---|---|---|"]
    for name, result in measured.items():
        for claim in (result, *result["also"]):
            if claim is result or claim["target"]:
                rows.append(_row(f"[{name}](#{name})" if claim is result else "", claim))
    return chart + "\n".join(rows) + "\n"


def _row(name: str, claim: Mapping[str, Any]) -> str:
    ratio = claim["ratio"]
    met = ("yes" if claim["met"] else "**no**") if claim["target"] else ""
    spread = f"{_number(ratio['min'])} to {_number(ratio['max'])}"
    return (
        f"| {name} | {claim['what']} | **{_number(ratio['median'])}** | {spread} | {target(claim)} | {met} |"
    )


def target(claim: Mapping[str, Any]) -> str:
    """What a ratio has to be, in words; empty when it is only reported.

    >>> target({"target": {"at_least": 8, "aim": 10}})
    'at least 8 (aim 10)'
    """
    bounds = claim["target"]
    words = {"at_least": "at least", "at_most": "at most"}
    text = ", ".join(f"{words[name]} {_number(bounds[name])}" for name in words if name in bounds)
    return f"{text} (aim {_number(bounds['aim'])})" if "aim" in bounds else text


def _section(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {result['name']}\n\n{result['work']}\n"
    for claim in (result, *result["also"]):
        ratio = claim["ratio"]
        wanted = f"; {target(claim)}" if claim["target"] else ""
        spread = f"{_number(ratio['min'])} to {_number(ratio['max'])}"
        yield f"- {claim['what']}: **{_number(ratio['median'])}** ({spread}){wanted}"
    yield ""
    yield f"| Side | {result['unit']}/s | Seconds a turn | Needed GFLOP/s | Of the matrix rate | Peak MB | Added MB |"
    yield "|---|---|---|---|---|---|---|"
    for side in result["sides"].values():
        yield _side(side)
    ceilings = [
        f"{number_format} {flops / 1e9:,.0f}"
        for number_format, flops in result["matrix_product_flop_per_s"].items()
    ]
    machine, versions = result["machine"], result["versions"]
    gpu = f"{machine['gpu']}, CUDA {machine['cuda']}; " if "gpu" in machine else ""
    yield ""
    yield f"Matrix products in the same run, in GFLOP/s: {', '.join(ceilings)}. {result['rounds']} rounds."
    yield (
        f"Machine: {gpu}{machine['processor']}, {machine['cores']} cores ({', '.join(machine['flags'])}), "
        f"{machine['memory_gb']:.0f} GB. {_versions(versions)}. {result['date']}, `{result['command']}`.\n"
    )


def _versions(versions: Mapping[str, str]) -> str:
    shown = [f"{name} {versions[name]}" for name in ("python", "torch", "transformers") if name in versions]
    return ", ".join(shown) + (f", source {versions['commit']}" if "commit" in versions else "")


def _side(side: Mapping[str, Any]) -> str:
    pace, seconds = side["per_second"], side["seconds_per_turn"]
    flops = f"{side['flop_per_s']['median'] / 1e9:,.0f}" if "flop_per_s" in side else ""
    share = f"{side['of_matrix_product_rate']:.0%}" if "of_matrix_product_rate" in side else ""
    memory = f"{side['peak_memory_bytes'] / 1e6:,.0f} | {side['added_memory_bytes'] / 1e6:,.0f}"
    spread = f" ({_number(pace['min'])} to {_number(pace['max'])})" if pace["min"] != pace["max"] else ""
    return (
        f"| {side['label']} | {_number(pace['median'])}{spread} | {_number(seconds['median'])} | {flops} | {share} "
        f"| {memory} |"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def chart(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The ratios that say how many times faster, as an SVG bar chart; the same results give the same text."""
    bars = [
        (name, result["ratio"], result["target"].get("at_least"))
        for name, result in measured.items()
        if result["target"].get("at_least", 0) > 1 or (name in GPU_NAMES)
    ]
    left, right, row, top = 150, 620, 30, 34
    longest = max([1.0, *(ratio["max"] for _, ratio, _ in bars), *(least or 0 for *_, least in bars)])
    scale = (right - left) / longest
    height = top + row * len(bars) + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="700" height="{height}" fill="#ffffff"/>',
        '<text x="10" y="20" font-weight="bold" fill="#222222">Times as fast as what one would run instead</text>',
    ]
    for number, (name, ratio, least) in enumerate(bars):
        lines += _bar(name, ratio, least, x=left, y=top + row * number, scale=scale)
    lines += [
        f'<text x="10" y="{height - 8}" fill="#555555" font-size="11">Bar: median of the rounds. Line: least to '
        "greatest. Red mark: what was to be reached at least.</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(
    name: str, ratio: Mapping[str, float], least: float | None, *, x: float, y: float, scale: float
) -> Sequence[str]:
    median, low, high = (ratio[part] * scale for part in ("median", "min", "max"))
    lines = [
        f'<text x="{x - 8}" y="{y + 15}" text-anchor="end" fill="#222222">{name}</text>',
        f'<rect x="{x}" y="{y + 2}" width="{median:.1f}" height="18" fill="#4a7fb5"/>',
        f'<path d="M{x + low:.1f} {y + 11}H{x + high:.1f}" stroke="#1d3b57" stroke-width="2"/>',
        f'<text x="{x + max(high, (least or 0) * scale) + 8:.1f}" y="{y + 15}" fill="#222222">'
        f"{_number(ratio['median'])}</text>",
    ]
    if least:
        lines.append(
            f'<path d="M{x + least * scale:.1f} {y - 1}V{y + 23}" stroke="#c0392b" stroke-width="2" fill="none"/>'
        )
    return lines


def main() -> None:
    """Write both files."""
    measured = results()
    PAGE.write_text(page(measured), encoding="utf-8")
    CHART.write_text(chart(measured), encoding="utf-8")
    print(f"Wrote {PAGE} and {CHART}.")


if __name__ == "__main__":
    main()
