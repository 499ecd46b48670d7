"""How long the captions are and how sure the model is, as tables whose cells are bars.

A table needs no plotting library, takes the page's colours, and is its own text alternative.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leyenda.records import Prediction

_MOST_LENGTH_BINS = 12
_CONFIDENCE_BINS = 10


@dataclass(frozen=True, slots=True)
class LengthBin:
    """Shares of the model's and of people's captions that have `first` to `last` words."""

    first: int
    last: int
    model: float
    people: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Caption lengths in words.

    Args:
        bins: in order of length; without gaps.
        model_mean: of the generated captions.
        people_mean: of all references; None when there are none.
    """

    bins: tuple[LengthBin, ...]
    model_mean: float
    people_mean: float | None


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Pictures whose confidence lies in [low, high).

    Args:
        low: lower bound, included.
        high: upper bound; 1.0 is included in the last bin.
        share: of all pictures with a confidence.
        mean_score: mean of the ranking score over the bin; None when it is empty.
    """

    low: float
    high: float
    share: float
    mean_score: float | None


def length_histogram(predictions: Sequence[Prediction]) -> Lengths | None:
    """Lengths of captions and of all their references; None without predictions.

    >>> found = length_histogram([Prediction("1", "a dog", references=("a big dog",))])
    >>> [(each.first, each.model, each.people) for each in found.bins]
    [(2, 1.0, 0.0), (3, 0.0, 1.0)]
    """
    if not predictions:
        return None
    model = [len(each.caption.split()) for each in predictions]
    people = [len(text.split()) for each in predictions for text in each.references]
    low, high = min(model + people), max(model + people)
    width = -(-(high - low + 1) // _MOST_LENGTH_BINS)
    bins = tuple(
        LengthBin(
            first,
            first + width - 1,
            _share(model, first, first + width),
            _share(people, first, first + width),
        )
        for first in range(low, high + 1, width)
    )
    return Lengths(bins, statistics.fmean(model), statistics.fmean(people) if people else None)


def confidence_histogram(
    predictions: Sequence[Prediction], scores: Mapping[str, float]
) -> tuple[ConfidenceBin, ...]:
    """Confidence in ten equal parts of [0, 1], from the lowest to the highest that occurs; empty without any.

    Args:
        predictions: those with no confidence are left out.
        scores: image id -> the score whose mean is shown beside each part; may be empty.
    """
    placed = [
        (min(int(each.confidence * _CONFIDENCE_BINS), _CONFIDENCE_BINS - 1), each.id)
        for each in predictions
        if each.confidence is not None
    ]
    if not placed:
        return ()
    occupied = [index for index, _ in placed]
    bins = []
    for index in range(min(occupied), max(occupied) + 1):
        here = [scores[image_id] for place, image_id in placed if place == index and image_id in scores]
        bins.append(
            ConfidenceBin(
                low=index / _CONFIDENCE_BINS,
                high=(index + 1) / _CONFIDENCE_BINS,
                share=occupied.count(index) / len(placed),
                mean_score=statistics.fmean(here) if here else None,
            )
        )
    return tuple(bins)


def _share(lengths: Sequence[int], first: int, beyond: int) -> float:
    return sum(first <= length < beyond for length in lengths) / len(lengths) if lengths else 0.0
