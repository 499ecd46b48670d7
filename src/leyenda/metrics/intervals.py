"""How far a score, or the difference of two, can be trusted: bootstrap intervals and permutation tests over images.

Nothing is tokenized or matched again: both work on the sums that metrics offer (`Statistics`), so a thousand
resamples of a thousand images cost some hundredths of a second for all metrics together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from leyenda.metrics.corpus import Statistics
from leyenda.records import Interval, Resampling

CELLS = 1 << 19
"""Resampled images held in memory at a time."""

Floats = np.ndarray[Any, np.dtype[np.float64]]

_NORMAL = NormalDist()
_TAIL = (1 - Resampling.level) / 2


@dataclass(frozen=True, slots=True)
class Difference:
    """How much two sets of captions of the same images differ in one score.

    Args:
        a: the first one's score.
        b: the second one's score.
        interval: 95% interval of `b - a`; None for a single image.
        p_value: how likely captions dealt to the two by the toss of coins would differ at least as much, in (0, 1].
    """

    a: float
    b: float
    interval: Interval | None
    p_value: float

    @property
    def difference(self) -> float:
        """`b - a`."""
        return self.b - self.a


def intervals(statistics: Mapping[str, Statistics], how: Resampling) -> dict[str, Interval]:
    """The 95% bootstrap interval of every score.

    Images are drawn with replacement and their sums combined again. The interval is BCa (Efron 1987, "Better
    Bootstrap Confidence Intervals"), with the normal quantile widened to Student's (Hesterberg 2015, "What Teachers
    Should Know About the Bootstrap"). On samples of 20 to 300 images of the COCO example's captions it held the
    truth in 94 to 96% of them; plain percentiles did so in 89 to 96%.

    It speaks of other images like these; references, and the weights of CIDEr-D's n-grams, are taken as given.

    Args:
        statistics: metric name -> what it is computed from; all over the same images.
        how: number of resamples, and the seed.

    Returns:
        Metric name -> (low, high). Empty for a single image, which tells nothing about others. Images that all score
        the same give an interval of no width.

    >>> from leyenda.metrics.corpus import ratio
    >>> errors = Statistics(np.array([[0.0, 4], [1, 5], [2, 4], [0, 3], [1, 6], [3, 6]]), ratio)
    >>> [round(bound, 2) for bound in intervals({"wer": errors}, Resampling(seed=1))["wer"]]
    [0.04, 0.45]
    """
    if not statistics:
        return {}
    different = _different(statistics)
    rows, places = np.concatenate([*different.values()], axis=1), _places(different)
    if len(rows) < 2:
        return {}
    sums = np.concatenate([weights @ rows for weights in _resampled(len(rows), how)])
    left_out = rows.sum(axis=0) - rows
    found = {}
    for name, each in statistics.items():
        columns = places[id(each.rows)]
        score = float(each.combine(each.rows.sum(axis=0)))
        found[name] = _bca(score, each.combine(sums[:, columns]), each.combine(left_out[:, columns]))
    return found


def differences(
    a: Mapping[str, Statistics], b: Mapping[str, Statistics], how: Resampling
) -> dict[str, Difference]:
    """The difference `b - a` of every score on the same images: its 95% interval and a p-value.

    The interval is that of `intervals`, with the same images drawn for both. The p-value is of a two-sided
    permutation test (Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"): for each image a coin decides
    whether the two captions change sides; (1 + permutations that differ at least as much) / (1 + permutations).

    Args:
        a: metric name -> what the first one's score is computed from.
        b: the same of the second one, its images in the same order.
        how: numbers of resamples and permutations, and the seed.

    Raises:
        ValueError: not the same metrics, or not as many images.
    """
    if a.keys() != b.keys():
        raise ValueError(f"metrics {sorted(a)} and {sorted(b)}")
    if not a:
        return {}
    pairs = _paired(a, b)
    different = _different(pairs)
    change = np.concatenate([_change(pair) for pair in different.values()], axis=1)
    moved = np.concatenate([swaps @ change for swaps in _swapped(len(change), how)])
    places = _places({key: _change(pair) for key, pair in different.items()})
    bounds = intervals(pairs, how)
    found = {}
    for name, each in pairs.items():
        to_a = moved[:, places[id(each.rows)]]
        dealt = each.rows.sum(axis=0) + np.concatenate([to_a, -to_a], axis=1)
        score_a, score_b = (float(side.combine(side.rows.sum(axis=0))) for side in (a[name], b[name]))
        p_value = _p_value(score_b - score_a, each.combine(dealt))
        found[name] = Difference(score_a, score_b, bounds.get(name), p_value)
    return found


def _change(pair: Floats) -> Floats:
    """What the sums of a gain, and those of b lose, when an image's captions change sides."""
    columns = pair.shape[1] // 2
    return pair[:, columns:] - pair[:, :columns]


def _paired(a: Mapping[str, Statistics], b: Mapping[str, Statistics]) -> dict[str, Statistics]:
    """What each difference `b - a` is computed from: the columns of a, then those of b."""
    joined: dict[tuple[int, int], Floats] = {}
    pairs = {}
    for name in a:
        key = id(a[name].rows), id(b[name].rows)
        if key not in joined:
            if len(a[name].rows) != len(b[name].rows):
                raise ValueError(f"{len(a[name].rows)} and {len(b[name].rows)} images")
            joined[key] = np.concatenate([a[name].rows, b[name].rows], axis=1)
        pairs[name] = Statistics(joined[key], _Difference(a[name], b[name]))
    return pairs


@dataclass(frozen=True, slots=True)
class _Difference:
    a: Statistics
    b: Statistics

    def __call__(self, sums: Floats) -> Floats:
        columns = self.a.rows.shape[1]
        return np.asarray(self.b.combine(sums[..., columns:]) - self.a.combine(sums[..., :columns]))


def _different(statistics: Mapping[str, Statistics]) -> dict[int, Floats]:
    """Every matrix of rows once, by its identity: BLEU-1 to BLEU-4 share theirs."""
    return {id(each.rows): each.rows for each in statistics.values()}


def _places(different: Mapping[int, Floats]) -> dict[int, slice]:
    """Where the columns of each matrix are when all stand side by side."""
    ends = np.cumsum([rows.shape[1] for rows in different.values()]).tolist()
    return {key: slice(start, end) for key, start, end in zip(different, [0, *ends], ends, strict=False)}


def _resampled(images: int, how: Resampling) -> Iterator[Floats]:
    """How often each image is drawn in each resample, shape (some resamples, images), until there are enough."""
    chance = np.random.default_rng([how.seed, 0])
    for count in _portions(how.resamples, images):
        drawn = chance.integers(0, images, (count, images))
        drawn += np.arange(count)[:, None] * images
        yield np.bincount(drawn.ravel(), minlength=count * images).reshape(count, images).astype(np.float64)


def _swapped(images: int, how: Resampling) -> Iterator[Floats]:
    """1 where an image's captions change sides, 0 elsewhere, shape (some permutations, images)."""
    chance = np.random.default_rng([how.seed, 1])
    for count in _portions(how.permutations, images):
        coins = np.frombuffer(chance.bytes(-(-count * images // 8)), dtype=np.uint8)
        yield np.unpackbits(coins, count=count * images).reshape(count, images).astype(np.float64)


def _portions(total: int, images: int) -> Iterator[int]:
    most = max(1, CELLS // images)
    for start in range(0, total, most):
        yield min(most, total - start)


def _bca(score: float, resampled: Floats, left_out: Floats) -> Interval:
    """The interval from the scores of the resamples, and from those without one image each."""
    images = len(left_out)
    slack = 1e-12 * max(
        1.0, abs(score)
    )  # sums of the same numbers in another order differ in the last digits
    below = np.mean(resampled < score - slack) + np.mean(np.abs(resampled - score) <= slack) / 2
    bias = _NORMAL.inv_cdf(float(np.clip(below, 1 / (len(resampled) + 1), 1 - 1 / (len(resampled) + 1))))
    influence = left_out.mean() - left_out
    spread = float(np.sum(influence**2))
    acceleration = float(np.sum(influence**3)) / (6 * spread**1.5) if spread > slack**2 else 0.0
    reach = _student(images - 1) * math.sqrt(images / (images - 1))
    tails = [
        _NORMAL.cdf(bias + (bias + z) / max(1e-9, 1 - acceleration * (bias + z))) for z in (-reach, reach)
    ]
    low, high = np.quantile(resampled, tails)
    return min(float(low), score), max(float(high), score)


def _student(freedom: int) -> float:
    """Student's quantile for the level, by its expansion around the normal one (Abramowitz and Stegun, 26.7.5)."""
    z = _NORMAL.inv_cdf(1 - _TAIL)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _p_value(observed: float, by_chance: Floats) -> float:
    slack = 1e-12 * max(1.0, abs(observed))
    as_large = np.count_nonzero(np.abs(by_chance) >= abs(observed) - slack)
    return float((1 + as_large) / (1 + len(by_chance)))
