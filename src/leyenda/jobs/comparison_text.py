"""A comparison as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from leyenda.jobs.compare import Apart, Compared, Comparison
from leyenda.jobs.matching import pictures
from leyenda.reports.table import aligned


def comparison_text(found: Comparison) -> str:
    """The verdict, every score of both, and the pictures on which they differ most.

    Args:
        found: of a comparison.

    Returns:
        Lines of plain text, columns aligned by spaces.
    """
    how = found.resampling
    columns = ["score", "A", "B", "B - A", "95% interval", "p", "B wins / loses / ties", "better is"]
    lines = [
        f"A: {found.a}",
        f"B: {found.b}",
        "",
        found.verdict,
        "",
        *aligned([columns, *map(_row, found.scores)]),
        "",
        f"{pictures(found.images)}; intervals: {how.method}, {how.resamples:,} resamples; "
        f"p: {how.permutations:,} permutations; seed {how.seed}",
    ]
    lines += _shelf(f"B is better by most ({found.ranking}):", found.b_better)
    lines += _shelf(f"A is better by most ({found.ranking}):", found.a_better)
    return "\n".join([*lines, *(["", *found.notes] if found.notes else [])])


def _row(each: Compared) -> list[str]:
    found = each.difference
    interval = f"{found.interval[0]:+.4f} to {found.interval[1]:+.4f}" if found and found.interval else "–"
    counts = "–" if each.wins is None else f"{each.wins} / {each.losses} / {each.ties}"
    return [
        each.metric.name,
        f"{each.a:.4f}",
        f"{each.b:.4f}",
        f"{each.b - each.a:+.4f}",
        interval,
        f"{found.p_value:.4f}" if found else "–",
        counts,
        each.metric.direction,
    ]


def _shelf(title: str, shown: Sequence[Apart]) -> list[str]:
    lines = ["", title] if shown else []
    for each in shown:
        lines += [
            f"  {each.id}  ({each.difference:+.2f})",
            f"    A: {_one_line(each.a)}",
            f"    B: {_one_line(each.b)}",
        ]
        lines += [f"    people: {_one_line(text)}" for text in each.references]
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())
