"""What the scores come to, in plain words: the headline, the comparison behind it, and warnings with advice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leyenda.metrics import better
from leyenda.metrics.word_error import normalized
from leyenda.records import EvaluationResult, Scores
from leyenda.reports.metric_display import title
from leyenda.reports.texts import TEXTS, Wording

MAIN = ("wer", "cider_d")
"""The scores that the headline and the warnings speak of, the first one first."""

FEW_IMAGES = 100
"""Below so many pictures the page says that small differences may be luck."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the headline's comparison.

    Args:
        name: who wrote the captions.
        value: the main score, as text.
        length: of its bar, in [0, 1].
        is_model: whether this is the model that the page is about.
    """

    name: str
    value: str
    length: float
    is_model: bool = False


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: what is wrong, what shows it, and what to do."""

    title: str
    detail: str
    advice: str


def main_metric(result: EvaluationResult) -> str | None:
    """The score that the headline speaks of: word error rate where it was computed."""
    return next((name for name in (*MAIN, *result.scores.values) if name in result.scores.values), None)


def headline(result: EvaluationResult, say: Wording) -> str:
    """The main score in one sentence."""
    metric = main_metric(result)
    if metric is None or not result.scores.images:
        return say("headline_empty")
    value = result.scores.values[metric]
    if metric != "wer":
        return say("headline_score", metric=title(metric, say), value=say.number(value))
    if value == 0:
        return say("headline_wer_none")
    errors = round(value * 100)
    if errors == 0:
        return say("headline_wer_few")
    if errors == 1:
        return say("headline_wer_one")
    return say("headline_wer" if errors <= 100 else "headline_wer_over", errors=say.count(errors))


def compared(
    result: EvaluationResult, base: EvaluationResult | None, say: Wording
) -> list[tuple[str, Scores]]:
    """Whose captions the page compares, with their scores: the model, the model before tuning, the controls."""
    return [
        (say("this_model"), result.scores),
        *([(say("base"), base.scores)] if base else []),
        *((control_name(name, say), scores) for name, scores in result.controls.items()),
    ]


def contenders(result: EvaluationResult, base: EvaluationResult | None, say: Wording) -> list[Contender]:
    """The main score of the model beside that of the base model and of the controls."""
    metric = main_metric(result)
    if metric is None:
        return []
    rows = [
        (name, scores.values[metric])
        for name, scores in compared(result, base, say)
        if metric in scores.values
    ]
    longest = max((value for _, value in rows if math.isfinite(value)), default=0) or 1
    return [
        Contender(name, _contender_value(metric, value, say), max(0.0, value / longest), is_model=not index)
        for index, (name, value) in enumerate(rows)
    ]


def control_name(name: str, say: Wording) -> str:
    """A control's name in the page's language."""
    return say(name) if name in TEXTS else name


def warnings(
    result: EvaluationResult,
    base: EvaluationResult | None,
    history: Sequence[Mapping[str, object]],
    say: Wording,
) -> list[Warned]:
    """Everything that a careful reader should know before trusting the scores, gravest first."""
    found = [_not_finite(history, say), _worse_than_base(result, base, say)]
    found += [_beaten_by(name, result, say) for name in result.controls]
    found += [_says_the_same(result, say), _few_images(result, say)]
    return [warned for warned in found if warned]


def _contender_value(metric: str, value: float, say: Wording) -> str:
    return say.number(value * 100, 1) if metric == "wer" else say.number(value)


def _beaten_by(control: str, result: EvaluationResult, say: Wording) -> Warned | None:
    theirs = result.controls[control].values
    ours = result.scores.values
    for metric in MAIN:
        if metric in ours and metric in theirs and not better(metric, ours[metric], theirs[metric]):
            return Warned(
                say("warn_control", control=control_name(control, say)),
                say(
                    "warn_control_detail",
                    metric=title(metric, say),
                    model=say.number(ours[metric]),
                    value=say.number(theirs[metric]),
                ),
                say("advice_control"),
            )
    return None


def _worse_than_base(result: EvaluationResult, base: EvaluationResult | None, say: Wording) -> Warned | None:
    metric = next((name for name in MAIN if name in result.scores.values), None)
    if base is None or metric is None or metric not in base.scores.values:
        return None
    ours, theirs = result.scores.values[metric], base.scores.values[metric]
    if not better(metric, theirs, ours):
        return None
    detail = say(
        "warn_base_detail", metric=title(metric, say), value=say.number(theirs), model=say.number(ours)
    )
    return Warned(say("warn_base"), detail, say("advice_base"))


def _says_the_same(result: EvaluationResult, say: Wording) -> Warned | None:
    """Few different captions is a fault only where people's captions of the same pictures do differ."""
    distinct = result.scores.values.get("distinct")
    people = [normalized(each.references[0]) for each in result.predictions if each.references]
    if distinct is None or len(people) < 2 or distinct >= 0.5 * len(set(people)) / len(people):
        return None
    caption, times = Counter(each.caption for each in result.predictions).most_common(1)[0]
    detail = say(
        "warn_same_detail",
        caption=caption or say("empty_caption"),
        times=say.count(times),
        images=say.count(len(result.predictions)),
    )
    return Warned(say("warn_same"), detail, say("advice_same"))


def _few_images(result: EvaluationResult, say: Wording) -> Warned | None:
    images = result.scores.images
    if not 0 < images < FEW_IMAGES:
        return None
    detail = say("warn_few_detail", images=say.counted("n_pictures", images))
    return Warned(say("warn_few"), detail, say("advice_few"))


def _not_finite(history: Sequence[Mapping[str, object]], say: Wording) -> Warned | None:
    for row in history:
        loss = row.get("loss")
        if isinstance(loss, int | float) and not math.isfinite(loss):
            detail = say("warn_not_finite_detail", step=row.get("step", "?"))
            return Warned(say("warn_not_finite"), detail, say("advice_not_finite"))
    return None
