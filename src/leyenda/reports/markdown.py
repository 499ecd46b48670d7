"""The report's Markdown twin, for model cards: scores beside their controls, and some captions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leyenda.records import EvaluationResult, Prediction, Scores
from leyenda.reports import gallery, metric_display, verdict
from leyenda.reports.printable import printable
from leyenda.reports.texts import Wording, wording

EXAMPLES = 3
"""Pictures of each part: best, worst, random."""

# Everything that Markdown, its tables, its mathematics, HTML or automatic links could take for markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$#@]|:(?=//))|(?<=www)\.|^(\d+(?=[.)])|[-+=])", re.IGNORECASE)


def render_markdown(
    result: EvaluationResult,
    *,
    base: EvaluationResult | None = None,
    language: str = "en",
    examples: int = EXAMPLES,
) -> str:
    """Scores, controls and some captions as Markdown, from headings of the second level on.

    Args:
        result: what the model got.
        base: the same of the model before tuning, on the same pictures.
        language: `en` or `es`.
        examples: pictures of each part (best, worst, random); 0 leaves captions out.

    Raises:
        LeyendaError: there is no report in that language.
    """
    say = wording(language)
    blocks = [
        f"## {say('scores')}",
        verdict.headline(result, say),
        _score_table(result, base, say),
    ]
    if result.scores.intervals:
        blocks.append(say("interval_about_inline"))
    if result.controls:
        blocks.append(say("controls_about", caption=escape(result.constant_caption)))
    if result.scores.normalization:
        blocks.append(f"{say('normalization')}:")
        blocks.append(_normalizations(result, say))
    blocks += [
        f"**{say('warning')}** {escape(f'{warned.title} {warned.detail} {warned.advice}')}"
        for warned in verdict.warnings(result, base, (), say)
    ]
    if examples and result.predictions:
        blocks.append(f"## {say('examples')}")
        for shelf in gallery.shelves(result, examples):
            blocks += [f"### {say(shelf.kind)}", *(_example(each, result, say) for each in shelf.predictions)]
    return printable("\n\n".join(blocks)) + "\n"


def escape(text: str) -> str:
    r"""A text as Markdown that shows exactly that text, on one line.

    >>> print(escape("a *dog* <script> | 1"))
    a \*dog\* \<script\> \| 1
    """
    return _MARKUP.sub(_escaped, " ".join(text.split()))


def _escaped(found: re.Match[str]) -> str:
    sign = found.group(0)
    # A digit cannot be escaped: at the start of a line, the dot or bracket behind it makes the list.
    return f"{sign}\\" if sign.isdigit() else f"\\{sign}"


def _score_table(result: EvaluationResult, base: EvaluationResult | None, say: Wording) -> str:
    columns = verdict.compared(result, base, say)
    rows = [
        _row([say("metric"), *(escape(name) for name, _ in columns)]),
        _row(["---", *("---:" for _ in columns)]),
    ]
    for name in result.scores.values:
        way = metric_display.direction(name, say)
        label = escape(metric_display.title(name, say)) + (f" ({way})" if way else "")
        rows.append(_row([label, *(_value(name, scores, say) for _, scores in columns)]))
    return "\n".join(rows)


def _value(name: str, scores: Scores, say: Wording) -> str:
    if name not in scores.values:
        return "–"
    bounds = metric_display.interval(name, scores, say)
    return say.number(scores.values[name]) + (f" ({bounds})" if bounds else "")


def _normalizations(result: EvaluationResult, say: Wording) -> str:
    return "\n".join(
        f"- {escape(', '.join(names))}: {escape(how)}"
        for how, names in metric_display.normalizations(result.scores, say)
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _example(prediction: Prediction, result: EvaluationResult, say: Wording) -> str:
    metric = gallery.ranking_metric(result)
    scores = result.scores.per_image[metric] if metric else {}
    lines = [f"- **{escape(prediction.caption) or say('empty_caption')}**"]
    if metric and prediction.id in scores:
        lines[0] += f" ({metric_display.title(metric, say)} {say.number(scores[prediction.id], 2)})"
    lines += [f"  - {say('people')}: {escape(reference)}" for reference in prediction.references]
    return "\n".join(lines)
