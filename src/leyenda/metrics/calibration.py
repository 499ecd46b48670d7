"""Whether a caption's confidence says how right it is: are more captions right of those with 0.8 than with 0.4?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leyenda.errors import ScoreError
from leyenda.metrics.registry import metric
from leyenda.records import Scores

BINS = 10
RIGHT_FROM = 0.5
NAMED_IDS = 5

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The captions whose confidence lies in [low, high) (the last bin includes 1).

    Args:
        low: lower end, in [0, 1).
        high: upper end, in (0, 1].
        captions: how many there are.
        confidence: their mean confidence; None without captions.
        right: the share of them that is right (or their mean rightness), in [0, 1]; None without captions.
    """

    low: float
    high: float
    captions: int
    confidence: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How confidence and rightness go together.

    Args:
        bins: the reliability curve; bins of equal width over [0, 1].
        expected_calibration_error: mean over captions of |confidence - right| of their bin, in [0, 1]; 0 is best.
            Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"; Guo et al. 2017, "On
            Calibration of Modern Neural Networks".
        discrimination: how often a caption that is more right than another has the higher confidence (ties count half),
            in [0, 1]: 1 always, 0.5 as by chance. For right and wrong it is the area under the ROC curve. None when all
            are equally right.
        mean_confidence: in [0, 1].
        mean_right: in [0, 1].
        captions: how many there are.
        right_means: what "right" is here, in words.
    """

    bins: tuple[ReliabilityBin, ...]
    expected_calibration_error: float
    discrimination: float | None
    mean_confidence: float
    mean_right: float
    captions: int
    right_means: str = field(default="")

    def as_json(self) -> dict[str, object]:
        """The calibration as JSON has it; the names stay."""
        return {
            "captions": self.captions,
            "expected_calibration_error": self.expected_calibration_error,
            "discrimination": self.discrimination,
            "mean_confidence": self.mean_confidence,
            "mean_right": self.mean_right,
            "right_means": self.right_means,
            "bins": [
                {
                    "low": part.low,
                    "high": part.high,
                    "captions": part.captions,
                    "confidence": part.confidence,
                    "right": part.right,
                }
                for part in self.bins
            ],
        }


def word_accuracy(scores: Scores) -> dict[str, float]:
    """Per image, 1 - `wer`, and 0 where that is negative: the share of words that are as in the nearest reference.

    Raises:
        ScoreError: the scores have no `wer` per image.
    """
    return {image: max(0.0, 1.0 - rate) for image, rate in _per_image(scores, "wer").items()}


def right_captions(
    scores: Scores, name: str = "wer", threshold: float = RIGHT_FROM
) -> tuple[dict[str, float], str]:
    """Which captions are right: as good as a threshold of some metric, or better.

    Args:
        scores: with the metric's value of each image.
        name: the metric. The default calls a caption right when half of its words, or fewer, would have to change.
        threshold: in the metric's unit.

    Returns:
        Image id -> 1.0 (right) or 0.0 (wrong), and the definition in words.

    Raises:
        ScoreError: there is no such metric, or the scores do not have it per image.
    """
    lower = metric(name).direction == "lower"
    values = _per_image(scores, name)
    right = {
        image: float(value <= threshold if lower else value >= threshold) for image, value in values.items()
    }
    return right, f"{name} of the image {'at most' if lower else 'at least'} {threshold:g}"


def calibration(
    confidences: Mapping[str, float],
    right: Mapping[str, float],
    *,
    right_means: str = "",
    bins: int = BINS,
) -> Calibration:
    """Compare how sure a model was with how right it was.

    Args:
        confidences: image id -> the caption's confidence, in [0, 1].
        right: image id -> 1 for right and 0 for wrong (`right_captions`), or how right in between (`word_accuracy`);
            the same ids.
        right_means: what "right" is, in words, for the result.
        bins: how many bins the reliability curve has, at least 1.

    Raises:
        ScoreError: no captions, ids on one side only, a value outside [0, 1], or no bins.

    >>> found = calibration({"a": 0.9, "b": 0.8, "c": 0.2}, {"a": 1, "b": 1, "c": 0}, bins=2)
    >>> [(part.captions, part.right) for part in found.bins], found.discrimination
    ([(1, 0.0), (2, 1.0)], 1.0)
    >>> round(found.expected_calibration_error, 3)
    0.167
    """
    _check(confidences, right, bins)
    sure = np.array([confidences[image] for image in confidences], dtype=np.float64)
    good = np.array([right[image] for image in confidences], dtype=np.float64)
    curve = _curve(sure, good, bins)
    error = sum(
        part.captions * abs(part.confidence - part.right)
        for part in curve
        if part.confidence is not None and part.right is not None
    )
    return Calibration(
        bins=curve,
        expected_calibration_error=error / len(sure),
        discrimination=_discrimination(sure, good),
        mean_confidence=float(sure.mean()),
        mean_right=float(good.mean()),
        captions=len(sure),
        right_means=right_means,
    )


def _curve(sure: Floats, good: Floats, bins: int) -> tuple[ReliabilityBin, ...]:
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    confidence = np.bincount(place, sure, bins) / np.maximum(1, counts)
    right = np.bincount(place, good, bins) / np.maximum(1, counts)
    return tuple(
        ReliabilityBin(
            number / bins,
            (number + 1) / bins,
            int(counts[number]),
            float(confidence[number]) if counts[number] else None,
            float(right[number]) if counts[number] else None,
        )
        for number in range(bins)
    )


def _discrimination(sure: Floats, good: Floats) -> float | None:
    """The share of pairs of unequal rightness that confidence puts in the same order; ties of confidence count half."""
    pairs = agree = 0.0
    order = np.argsort(sure, kind="stable")
    sure, good = sure[order], good[order]
    values = np.unique(good)
    for value in values[1:]:
        better, worse = sure[good == value], sure[good < value]
        below = np.searchsorted(worse, better, side="left")
        equal = np.searchsorted(worse, better, side="right") - below
        agree += float(below.sum() + equal.sum() / 2)
        pairs += len(better) * len(worse)
    return agree / pairs if pairs else None


def _per_image(scores: Scores, name: str) -> Mapping[str, float]:
    if name not in scores.per_image:
        raise ScoreError(
            f"There is no {name!r} of each image among these scores.", f"Score with {name!r}, too."
        )
    return scores.per_image[name]


def _check(confidences: Mapping[str, float], right: Mapping[str, float], bins: int) -> None:
    if bins < 1:
        raise ScoreError(f"A reliability curve of {bins} bins shows nothing.", "Ask for at least 1.")
    if not confidences:
        raise ScoreError("There are no confidences to compare.", "Give at least one caption.")
    alone = sorted(confidences.keys() ^ right.keys())
    if alone:
        named = ", ".join(map(repr, alone[:NAMED_IDS])) + (" ..." if len(alone) > NAMED_IDS else "")
        raise ScoreError(
            f"{len(alone)} image(s) have a confidence or a score, but not both: {named}.",
            "Give both for the same images.",
        )
    for kind, values in (("confidence", confidences), ("rightness", right)):
        for image, value in values.items():
            if not 0 <= value <= 1:
                raise ScoreError(f"The {kind} of {image!r} is {value!r}.", "It must lie between 0 and 1.")
