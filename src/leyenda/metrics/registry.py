"""Every metric by name: what it measures, in plain words, and whether a lower or a higher value is better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from leyenda.errors import ScoreError, near
from leyenda.metrics.bleu import bleu
from leyenda.metrics.cider import cider_d
from leyenda.metrics.coco_rouge import coco_rouge_l
from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.distinct import distinct
from leyenda.metrics.meanings import MEANINGS
from leyenda.metrics.rouge import rouge_l, rouge_lsum, rouge_n
from leyenda.metrics.sacrebleu_scores import chrf, sacrebleu
from leyenda.metrics.word_error import cer, mer, wer, wer_first, wil


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to score captions.

    Args:
        name: as in `Scores.values`.
        direction: which values are better.
        best: the value that no caption can beat.
        measure: computes it.
        usual: it is computed when no metrics are named.
        of_one: a caption alone has a value that says how good it is. What is counted over all captions together has
            none, though it can be computed.
    """

    name: str
    direction: Literal["lower", "higher"]
    best: float
    measure: Callable[[Corpus], Measurement] = field(repr=False, compare=False)
    usual: bool = True
    of_one: bool = True

    @property
    def english(self) -> str:
        """What it means, in one plain line."""
        return MEANINGS[self.name][0]

    @property
    def spanish(self) -> str:
        """What it means, in one plain line of Spanish."""
        return MEANINGS[self.name][1]


_ALL = (
    Metric("wer", "lower", 0.0, wer),
    Metric("wer_first", "lower", 0.0, wer_first),
    Metric("mer", "lower", 0.0, mer, usual=False),
    Metric("wil", "lower", 0.0, wil, usual=False),
    Metric("cer", "lower", 0.0, cer),
    Metric("rouge1", "higher", 1.0, partial(rouge_n, order=1)),
    Metric("rouge2", "higher", 1.0, partial(rouge_n, order=2)),
    Metric("rougeL", "higher", 1.0, rouge_l),
    Metric("rougeLsum", "higher", 1.0, rouge_lsum, usual=False),
    Metric("bleu_1", "higher", 1.0, partial(bleu, order=1), of_one=False),
    Metric("bleu_2", "higher", 1.0, partial(bleu, order=2), of_one=False),
    Metric("bleu_3", "higher", 1.0, partial(bleu, order=3), of_one=False),
    Metric("bleu_4", "higher", 1.0, partial(bleu, order=4), of_one=False),
    Metric("cider_d", "higher", 10.0, cider_d),
    Metric("coco_rouge_l", "higher", 1.0, coco_rouge_l),
    Metric("sacrebleu", "higher", 100.0, sacrebleu, usual=False, of_one=False),
    Metric("chrf", "higher", 100.0, chrf, usual=False),
    Metric("distinct", "higher", 1.0, distinct, of_one=False),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric by name, in the order in which scores are shown."""

USUAL = tuple(metric for metric in _ALL if metric.usual)
"""The metrics that are computed when none are named."""


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ScoreError: there is none; near names are listed.
    """
    if name not in METRICS:
        hint = near(name, METRICS) or "They are: " + ", ".join(METRICS) + "."
        raise ScoreError(f"There is no metric {name!r}.", hint)
    return METRICS[name]


def chosen(wanted: Iterable[str | Metric] | None) -> tuple[Metric, ...]:
    """The metrics wanted, by name or themselves, in the given order, without repeats; the usual ones when None."""
    if wanted is None:
        return USUAL
    return tuple(each if isinstance(each, Metric) else metric(each) for each in dict.fromkeys(wanted))


def better(name: str, a: float, b: float) -> bool:
    """Whether value `a` of a metric is better than value `b` (equal values are not).

    Raises:
        ScoreError: there is no such metric.

    >>> better("wer", 0.1, 0.2), better("cider_d", 0.1, 0.2)
    (True, False)
    """
    return a < b if metric(name).direction == "lower" else a > b
