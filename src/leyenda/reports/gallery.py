"""Which pictures a report shows, and what stands beside each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from leyenda.errors import ImageError
from leyenda.records import EvaluationResult, Prediction
from leyenda.reports.differences import Comparison, compare
from leyenda.reports.metric_display import is_lower_better
from leyenda.reports.thumbnails import Thumbnail, thumbnail

SHELF = 9
"""Pictures in each part: best, worst, random."""

RANKING = ("wer", "cider_d")
"""The scores that pictures are ranked by: the first that the result has for single images, then any other."""

CARD_SCORES = (*RANKING, "rougeL", "bleu_4")
"""The scores shown with each picture, or all where it has none of these."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A part of the gallery.

    Args:
        kind: `best`, `worst`, `random`, or `all` where there are too few pictures to choose from.
        predictions: its pictures, in the order to show.
    """

    kind: str
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of the gallery with all that is known about it.

    Args:
        prediction: id, caption, references.
        thumbnail: the picture, or None when it cannot be shown.
        reason: why it cannot, in words; empty when the predictions name no picture.
        comparison: the caption beside its nearest reference; None without references.
        scores: metric -> score of this picture, for the metrics that cards show.
        base_caption: what the base model said; None when there is none.
    """

    prediction: Prediction
    thumbnail: Thumbnail | None
    reason: str
    comparison: Comparison | None
    scores: dict[str, float]
    base_caption: str | None


def ranking_metric(result: EvaluationResult) -> str | None:
    """The score that ranks single pictures, or None when there is none with a known direction."""
    candidates = [*RANKING, *(name for name in result.scores.per_image if name not in RANKING)]
    for name in candidates:
        if result.scores.per_image.get(name) and is_lower_better(name) is not None:
            return name
    return None


def shelves(result: EvaluationResult, size: int = SHELF) -> list[Shelf]:
    """Choose pictures: the best, the worst, and some of the rest at random, none of them twice.

    Args:
        result: predictions and their per-image scores.
        size: how many pictures a shelf holds at most.
    """
    metric = ranking_metric(result)
    if metric is None:
        return _only_random(result.predictions, size)
    values = result.scores.per_image[metric]
    sign = 1 if is_lower_better(metric) else -1
    ranked = sorted(
        (prediction for prediction in result.predictions if prediction.id in values),
        key=lambda prediction: sign * values[prediction.id],
    )
    if len(ranked) <= size:
        return [Shelf("all", tuple(ranked))] if ranked else []
    each = min(size, len(ranked) // 3)
    middle = ranked[each : len(ranked) - each]
    return [
        Shelf("best", tuple(ranked[:each])),
        Shelf("worst", tuple(reversed(ranked[-each:]))),
        *_only_random(middle, each),
    ]


def card(prediction: Prediction, result: EvaluationResult, base: EvaluationResult | None) -> Card:
    """Everything about one picture; a picture that cannot be read gives its reason, not an error."""
    small, reason = _small_picture(prediction)
    return Card(
        prediction=prediction,
        thumbnail=small,
        reason=reason,
        comparison=compare(prediction.caption, prediction.references),
        scores=_scores_of(prediction.id, result),
        base_caption=_caption_of(prediction.id, base),
    )


def _only_random(predictions: Sequence[Prediction], size: int) -> list[Shelf]:
    chosen = random.Random(0).sample(predictions, min(size, len(predictions)))  # noqa: S311 - no secret
    return [Shelf("random", tuple(chosen))] if chosen else []


def _small_picture(prediction: Prediction) -> tuple[Thumbnail | None, str]:
    if prediction.image is None or not prediction.image.path:
        return None, ""
    try:
        return thumbnail(prediction.image), ""
    except ImageError as error:
        return None, str(error)


def _scores_of(image_id: str, result: EvaluationResult) -> dict[str, float]:
    found = {name: values[image_id] for name, values in result.scores.per_image.items() if image_id in values}
    return {name: found[name] for name in CARD_SCORES if name in found} or found


def _caption_of(image_id: str, result: EvaluationResult | None) -> str | None:
    if result is None:
        return None
    return next((each.caption for each in result.predictions if each.id == image_id), None)
