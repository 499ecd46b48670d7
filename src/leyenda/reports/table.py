"""Scores as a table for the terminal."""

from __future__ import annotations

from leyenda.metrics import METRICS
from leyenda.records import EvaluationResult


def scores_table(result: EvaluationResult) -> str:
    """Every score beside its controls, with its direction; then what was scored.

    Args:
        result: of an evaluation.

    Returns:
        Lines of plain text, columns aligned by spaces.
    """
    columns = ["score", "model", *result.controls, "better is"]
    rows = [
        [
            name,
            f"{value:.4f}",
            *(f"{control.values[name]:.4f}" for control in result.controls.values()),
            METRICS[name].direction if name in METRICS else "",
        ]
        for name, value in result.scores.values.items()
    ]
    widths = [max(len(row[place]) for row in [columns, *rows]) for place in range(len(columns))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [columns, *rows]
    ]
    facts = f"{result.scores.images} pictures; constant caption: {result.constant_caption!r}"
    if result.skipped:
        facts += f"; {len(result.skipped)} pictures skipped"
    return "\n".join([*lines, "", facts])
