"""The report's Markdown twin, for model cards: scores beside their controls, and some captions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leyenda.records import EvaluationResult, HumanScores, Prediction, Scores
from leyenda.reports import gallery, metric_display, verdict
from leyenda.reports.caption_facts import caption_facts
from leyenda.reports.data_problems import problem_kinds
from leyenda.reports.error_patterns import error_patterns
from leyenda.reports.printable import printable
from leyenda.reports.reliability_chart import reliability_verdict
from leyenda.reports.texts import Wording, wording

if TYPE_CHECKING:
    from leyenda.data.check import CheckReport

EXAMPLES = 3
"""Pictures of each part: best, worst, random."""

# Everything that Markdown, its tables, its mathematics, HTML or automatic links could take for markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$#@]|:(?=//))|(?<=www)\.|^(\d+(?=[.)])|[-+=])", re.IGNORECASE)


def render_markdown(
    result: EvaluationResult,
    *,
    base: EvaluationResult | None = None,
    problems: CheckReport | None = None,
    language: str = "en",
    examples: int = EXAMPLES,
) -> str:
    """Scores, controls and some captions as Markdown, from headings of the second level on.

    Args:
        result: what the model got.
        base: the same of the model before tuning, on the same pictures.
        problems: what `leyenda.data.check` found; None where the data were not checked.
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
    if result.human:
        blocks.append(say("human_about", images=say.counted("n_pictures", result.human.people.images)))
    if result.scores.normalization:
        blocks.append(f"{say('normalization')}:")
        blocks.append(_normalizations(result, say))
    blocks += [
        f"**{say('warning')}** {escape(f'{warned.title} {warned.detail} {warned.advice}')}"
        for warned in verdict.warnings(result, base, (), say)
    ]
    blocks += [*_captions(result, say), *_patterns(result, say), *_problems(problems, say)]
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
    names = [*(escape(name) for name, _ in columns), *([say("one_person")] if result.human else [])]
    rows = [_row([say("metric"), *names]), _row(["---", *("---:" for _ in names)])]
    for name in result.scores.values:
        way = metric_display.direction(name, say)
        label = escape(metric_display.title(name, say)) + (f" ({way})" if way else "")
        cells = [_value(name, scores, say) for _, scores in columns]
        rows.append(_row([label, *cells, *([_person(name, result.human, say)] if result.human else [])]))
    return "\n".join(rows)


def _value(name: str, scores: Scores, say: Wording) -> str:
    if name not in scores.values:
        return "–"
    bounds = metric_display.interval(name, scores, say)
    return say.number(scores.values[name]) + (f" ({bounds})" if bounds else "")


def _person(name: str, human: HumanScores, say: Wording) -> str:
    if name not in human.people.values:
        return "–"
    beside = say("model_beside_person", value=say.number(human.model.values[name]))
    return f"{say.number(human.people.values[name])} ({beside})"


def _captions(result: EvaluationResult, say: Wording) -> list[str]:
    """What the captions are like, and whether confidence means anything."""
    facts = caption_facts(result, say)
    if not facts:
        return []
    lines = [
        f"- {fact.name}: {say('share_model')} {fact.model}, {say('share_people')} {fact.people}. {fact.about}"
        for fact in facts
    ]
    blocks = [f"## {say('shape')}", say("statistics_about"), "\n".join(lines)]
    if result.calibration:
        blocks.append(f"**{say('reliability')}** {reliability_verdict(result.calibration, say)}")
    return blocks


def _patterns(result: EvaluationResult, say: Wording) -> list[str]:
    """Words missed and invented most, each kind on a line."""
    found = error_patterns(result.predictions)
    lines = [
        f"- {say(kind)}: "
        + ", ".join(
            f"{escape(each.word)} ({say.count(each.times)} {say('out_of')} {say.count(each.of)})"
            for each in words
        )
        for kind, words in (("missed", found.missed), ("invented", found.invented))
        if words
    ]
    return [f"## {say('patterns')}", "\n".join(lines)] if lines else []


def _problems(found: CheckReport | None, say: Wording) -> list[str]:
    if found is None:
        return []
    kinds = [f"- {kind.name}: {say.count(kind.count)}" for kind in problem_kinds(found, say)]
    checked = {
        "images": say.counted("n_pictures", found.images),
        "captions": say.counted("n_captions", found.captions),
    }
    about = say("problems_about" if kinds else "problems_none", **checked)
    return [f"## {say('problems')}", about, *(["\n".join(kinds)] if kinds else [])]


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
