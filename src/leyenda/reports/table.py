"""Scores as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from leyenda.records import EvaluationResult, Scores
from leyenda.reports.caption_facts import caption_facts
from leyenda.reports.metric_display import is_lower_better
from leyenda.reports.texts import wording


def scores_table(result: EvaluationResult) -> str:
    """Every score with its interval beside its controls, with its direction; then what was scored and how.

    Args:
        result: of an evaluation.

    Returns:
        Lines of plain text, columns aligned by spaces.
    """
    columns = ["score", "model", *(["95% interval"] if result.scores.intervals else []), *result.controls]
    rows = [
        [
            name,
            f"{value:.4f}",
            *([_interval(result.scores, name)] if result.scores.intervals else []),
            *(_value(control, name) for control in result.controls.values()),
            _direction(name),
        ]
        for name, value in result.scores.values.items()
    ]
    lines = [*aligned([[*columns, "better is"], *rows]), ""]
    facts = f"{_pictures(result.scores.images)}; constant caption: {result.constant_caption!r}"
    if result.skipped:
        facts += f"; {_pictures(len(result.skipped))} skipped"
    lines.append(facts)
    if (how := result.scores.resampling) and result.scores.intervals:
        lines.append(f"Intervals: {how.method}, {how.resamples:,} resamples, seed {how.seed}")
    return "\n".join([*lines, *_human(result), *_captions(result), *_preparation(result.scores)])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell.

    >>> aligned([["a", "bb"], ["ccc", "d"]])
    ['a    bb', 'ccc  d']
    """
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _direction(name: str) -> str:
    lower = is_lower_better(name)
    return "" if lower is None else "lower" if lower else "higher"


def _value(scores: Scores, name: str) -> str:
    return f"{scores.values[name]:.4f}" if name in scores.values else "–"


def _interval(scores: Scores, name: str) -> str:
    if name not in scores.intervals:
        return "–"
    low, high = scores.intervals[name]
    return f"{low:.4f} to {high:.4f}"


def _human(result: EvaluationResult) -> list[str]:
    human = result.human
    if human is None:
        return []
    rows = [
        [name, f"{value:.4f}", f"{human.people.values[name]:.4f}"]
        for name, value in human.model.values.items()
    ]
    return [
        "",
        f"One person against the others, on {_pictures(human.people.images)} with several captions; the model against "
        "the same others:",
        *aligned([["score", "model", "one person"], *rows]),
    ]


def _captions(result: EvaluationResult) -> list[str]:
    facts = caption_facts(result, wording("en"))
    if not facts:
        return []
    rows = [[fact.name.lower(), fact.model, fact.people] for fact in facts]
    return ["", "What the captions are like:", *aligned([["", "model", "people"], *rows])]


def _preparation(scores: Scores) -> list[str]:
    """How each score prepared the text, those that did it alike together."""
    alike: dict[str, list[str]] = {}
    for name, how in scores.normalization.items():
        alike.setdefault(how.split(";")[0], []).append(name)
    if not alike:
        return []
    return ["", "What was compared:", *(f"{', '.join(names)}: {how}" for how, names in alike.items())]
