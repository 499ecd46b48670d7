"""The report's Markdown twin, for model cards: scores beside their controls, and some captions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leyenda.records import EvaluationResult, Prediction
from leyenda.reports import gallery, metric_display, verdict
from leyenda.reports.texts import Wording, wording

EXAMPLES = 3
"""Pictures of each part: best, worst, random."""

# Everything that Markdown, its tables, its mathematics, HTML or automatic links could take for markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$#:@!])|(?<=www)\.|^(\d+(?=[.)])|[-+=])", re.IGNORECASE)


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
        escape(verdict.headline(result, say)),
        _score_table(result, base, say),
    ]
    if result.controls:
        blocks.append(escape(say("controls_about", caption=result.constant_caption)))
    blocks += [
        f"**{say('warning')}** {escape(f'{warned.title} {warned.detail} {warned.advice}')}"
        for warned in verdict.warnings(result, base, (), say)
    ]
    if examples and result.predictions:
        blocks.append(f"## {say('examples')}")
        for shelf in gallery.shelves(result, examples):
            blocks += [f"### {say(shelf.kind)}", *(_example(each, result, say) for each in shelf.predictions)]
    return "\n\n".join(blocks) + "\n"


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
    columns = [(say("this_model"), result.scores)]
    if base:
        columns.append((say("base"), base.scores))
    columns += [(verdict.control_name(name, say), scores) for name, scores in result.controls.items()]
    heading = [say("metric"), *(name for name, _ in columns)]
    rows = [_row(heading), _row(["---", *("---:" for _ in columns)], is_text=False)]
    for name in result.scores.values:
        way = metric_display.direction(name, say)
        label = f"{metric_display.title(name, say)} ({way})" if way else metric_display.title(name, say)
        values = [scores.values.get(name) for _, scores in columns]
        rows.append(_row([label, *("–" if value is None else say.number(value) for value in values)]))
    return "\n".join(rows)


def _row(cells: Sequence[str], is_text: bool = True) -> str:
    return f"| {' | '.join(escape(cell) if is_text else cell for cell in cells)} |"


def _example(prediction: Prediction, result: EvaluationResult, say: Wording) -> str:
    metric = gallery.ranking_metric(result)
    scores = result.scores.per_image[metric] if metric else {}
    lines = [f"- **{escape(prediction.caption) or say('empty_caption')}**"]
    if metric and prediction.id in scores:
        lines[0] += f" ({metric_display.title(metric, say)} {say.number(scores[prediction.id], 2)})"
    lines += [f"  - {say('people')}: {escape(reference)}" for reference in prediction.references]
    return "\n".join(lines)
