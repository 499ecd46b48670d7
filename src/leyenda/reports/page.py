"""The report: one HTML file that needs no network, readable on a phone, by keyboard and by screen reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from markupsafe import Markup

from leyenda.records import EvaluationResult
from leyenda.reports import gallery, metric_display, verdict
from leyenda.reports.bar_chart import Bars, bar_chart
from leyenda.reports.caption_facts import caption_facts
from leyenda.reports.data_problems import problem_kinds
from leyenda.reports.error_patterns import error_patterns
from leyenda.reports.histograms import ConfidenceBin, Lengths, confidence_histogram, length_histogram
from leyenda.reports.learning_curves import learning_curves
from leyenda.reports.markdown import escape, render_markdown
from leyenda.reports.page_file import write_page
from leyenda.reports.reliability_chart import reliability_chart, reliability_verdict
from leyenda.reports.templates import render
from leyenda.reports.texts import Wording, wording

if TYPE_CHECKING:
    from leyenda.data.check import CheckReport

SKIPPED_SHOWN = 100
"""Rows of the table of skipped pictures; the rest is counted."""


def write_report(
    path: str | Path,
    *,
    title: str,
    result: EvaluationResult,
    base: EvaluationResult | None = None,
    history: Sequence[Mapping[str, object]] = (),
    recipe: Mapping[str, object] | None = None,
    data_summary: Mapping[str, object] | None = None,
    problems: CheckReport | None = None,
    language: str = "en",
    notes: Sequence[str] = (),
) -> Path:
    """Write the report as one file, whole or not at all.

    Args:
        path: the file to write; its folder is made when it is missing. A name that ends in `.md` gets the
            Markdown twin.
        title: the page's heading.
        result: scores, predictions and skipped pictures of the model.
        base: the same of the model before tuning, on the same pictures.
        history: rows of a run's `history.jsonl`, for the learning curves.
        recipe: the resolved recipe of the training run.
        data_summary: facts about the data, by name; values may be numbers, texts, lists and further mappings.
        problems: what `leyenda.data.check` found; None where the data were not checked.
        language: `en` or `es`.
        notes: sentences to show at the top.

    Returns:
        The path written.

    Raises:
        DiskError: the file cannot be written.
        LeyendaError: there is no report in that language.
        MissingExtra: a history is given and matplotlib is not installed.
    """
    if Path(path).suffix.lower() == ".md":
        heading = f"# {escape(title)}\n\n"
        return write_page(
            path, heading + render_markdown(result, base=base, problems=problems, language=language)
        )
    page = render_report(
        title=title,
        result=result,
        base=base,
        history=history,
        recipe=recipe,
        data_summary=data_summary,
        problems=problems,
        language=language,
        notes=notes,
    )
    return write_page(path, page)


def render_report(
    *,
    title: str,
    result: EvaluationResult,
    base: EvaluationResult | None = None,
    history: Sequence[Mapping[str, object]] = (),
    recipe: Mapping[str, object] | None = None,
    data_summary: Mapping[str, object] | None = None,
    problems: CheckReport | None = None,
    language: str = "en",
    notes: Sequence[str] = (),
) -> str:
    """The report as the text of an HTML page.

    Args:
        title: the page's heading.
        result: scores, predictions and skipped pictures of the model.
        base: the same of the model before tuning, on the same pictures.
        history: rows of a run's `history.jsonl`, for the learning curves.
        recipe: the resolved recipe of the training run.
        data_summary: facts about the data, by name.
        problems: what `leyenda.data.check` found; None where the data were not checked.
        language: `en` or `es`.
        notes: sentences to show at the top.

    Raises:
        LeyendaError: there is no report in that language.
        MissingExtra: a history is given and matplotlib is not installed.
    """
    say = wording(language)
    return render(
        "report.html",
        say,
        title,
        result=result,
        base=base,
        notes=notes,
        headline=verdict.headline(result, say),
        main_metric=verdict.main_metric(result),
        contenders=verdict.contenders(result, base, say),
        warnings=verdict.warnings(result, base, history, say),
        columns=verdict.compared(result, base, say),
        normalizations=metric_display.normalizations(result.scores, say),
        curves=learning_curves(history, say),
        lengths=(lengths := length_histogram(result.predictions)),
        length_chart=_length_chart(lengths, say),
        ranking=(ranking := gallery.ranking_metric(result)),
        confidences=(
            confidences := confidence_histogram(
                result.predictions, result.scores.per_image[ranking] if ranking else {}
            )
        ),
        confidence_chart=_confidence_chart(confidences, say),
        calibration=(calibrated := result.calibration),
        reliability_chart=reliability_chart(calibrated, say) if calibrated else "",
        reliability_verdict=reliability_verdict(calibrated, say) if calibrated else "",
        caption_facts=caption_facts(result, say),
        mean_confidence=_mean_confidence(result),
        shelves=_filled_shelves(result, base),
        patterns=error_patterns(result.predictions),
        skipped=list(result.skipped.items())[:SKIPPED_SHOWN],
        skipped_reasons=Counter(each.code for each in result.skipped.values()).most_common(),
        data_summary=data_summary,
        problems=problems,
        problem_kinds=problem_kinds(problems, say) if problems else [],
        recipe=yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True) if recipe else "",
    )


def _length_chart(lengths: Lengths | None, say: Wording) -> Markup:
    if lengths is None:
        return Markup("")
    rows = [Bars(say("share_model"), [each.model for each in lengths.bins])]
    if lengths.people_mean is not None:
        rows.append(Bars(say("share_people"), [each.people for each in lengths.bins]))
    labels = [
        f"{each.first}–{each.last}" if each.last > each.first else f"{each.first}" for each in lengths.bins
    ]
    return bar_chart(say("lengths"), say("words"), labels, rows, say)


def _confidence_chart(bins: Sequence[ConfidenceBin], say: Wording) -> Markup:
    if not bins:
        return Markup("")
    labels = [f"{round(100 * each.low)}–{say.percent(each.high)}" for each in bins]
    shares = Bars(say("share_pictures"), [each.share for each in bins])
    return bar_chart(say("confidences"), say("confidence"), labels, [shares], say)


def _mean_confidence(result: EvaluationResult) -> float:
    confidences = [each.confidence for each in result.predictions if each.confidence is not None]
    return sum(confidences) / len(confidences) if confidences else 0.0


def _filled_shelves(
    result: EvaluationResult, base: EvaluationResult | None
) -> Iterator[tuple[str, list[gallery.Card]]]:
    for shelf in gallery.shelves(result):
        yield shelf.kind, [gallery.card(prediction, result, base) for prediction in shelf.predictions]
