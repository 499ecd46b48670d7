"""What captions are like, without asking whether they are right: how long, how varied, how much is copied."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from leyenda.errors import ScoreError
from leyenda.metrics.word_error import NORMALIZATION, normalized

ORDERS = 4


@dataclass(frozen=True, slots=True)
class CaptionStatistics:
    """What a set of captions is like.

    Args:
        captions: how many there are.
        mean_words: words in a caption, on average.
        median_words: words in the caption in the middle, by length.
        lengths: number of words -> how many captions have as many, ascending.
        vocabulary: how many different words there are in all captions.
        distinct_ngrams: n (1 to 4) -> different n-grams over all n-grams of all captions, in [0, 1]; 0 where no caption
            has n words. Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models".
        distinct_captions: different captions over captions, in (0, 1].
        copied: share of captions that stand among the training captions, in [0, 1]; None when those were not given.
        mean_confidence: the mean of the captions' confidences, in [0, 1]; None when they have none.
        normalization: how text was prepared, in words.
    """

    captions: int
    mean_words: float
    median_words: float
    lengths: Mapping[int, int] = field(repr=False)
    vocabulary: int
    distinct_ngrams: Mapping[int, float]
    distinct_captions: float
    copied: float | None
    mean_confidence: float | None
    normalization: str = field(repr=False)

    def as_json(self) -> dict[str, object]:
        """The statistics as JSON has them; the names stay."""
        return {
            "captions": self.captions,
            "mean_words": self.mean_words,
            "median_words": self.median_words,
            "lengths": {str(words): count for words, count in self.lengths.items()},
            "vocabulary": self.vocabulary,
            **{f"distinct_{n}": share for n, share in self.distinct_ngrams.items()},
            "distinct": self.distinct_captions,
            "copied": self.copied,
            "mean_confidence": self.mean_confidence,
            "normalization": self.normalization,
        }


def caption_statistics(
    captions: Sequence[str],
    *,
    training_captions: Iterable[str] | None = None,
    confidences: Sequence[float] | None = None,
) -> CaptionStatistics:
    """Describe captions, a model's or people's.

    Captions that differ in case or punctuation only are the same caption. One that is empty, or punctuation only,
    has no words.

    Args:
        captions: at least one caption.
        training_captions: what the model was trained on, to find the captions that are copies.
        confidences: the captions' confidences, each in [0, 1], where they have any.

    Raises:
        ScoreError: no captions, a caption that is no text, a confidence outside [0, 1], or too few or many of them.

    >>> found = caption_statistics(["A dog runs.", "a dog runs", "a cat"], training_captions=["A cat!"])
    >>> found.mean_words, found.vocabulary, round(found.distinct_captions, 2), round(found.copied, 2)
    (2.6666666666666665, 4, 0.67, 0.33)
    >>> found.distinct_ngrams[1]
    0.5
    """
    _check(captions, confidences or ())
    texts = [normalized(text) for text in captions]
    words = [text.split() for text in texts]
    lengths = Counter(map(len, words))
    return CaptionStatistics(
        captions=len(texts),
        mean_words=statistics.fmean(lengths.elements()),
        median_words=statistics.median(lengths.elements()),
        lengths=dict(sorted(lengths.items())),
        vocabulary=len(set(chain.from_iterable(words))),
        distinct_ngrams={n: _distinct_ngrams(words, n) for n in range(1, ORDERS + 1)},
        distinct_captions=len(set(texts)) / len(texts),
        copied=None if training_captions is None else _copied(texts, training_captions),
        mean_confidence=statistics.fmean(confidences) if confidences else None,
        normalization=NORMALIZATION,
    )


def _check(captions: Sequence[str], confidences: Sequence[float]) -> None:
    if isinstance(captions, str) or not len(captions):
        raise ScoreError("There are no captions to describe.", "Give a list of at least one caption.")
    for text in captions:
        if not isinstance(text, str):
            raise ScoreError(f"A caption is {text!r}.", "Captions must be text; an empty one is ''.")
    if len(confidences) not in (0, len(captions)):
        raise ScoreError(
            f"There are {len(confidences)} confidences for {len(captions)} captions.", "Give one for each."
        )
    for confidence in confidences:
        if not 0 <= confidence <= 1:
            raise ScoreError(f"A confidence is {confidence!r}.", "Confidences go from 0 to 1.")


def _distinct_ngrams(captions: Sequence[Sequence[str]], n: int) -> float:
    ngrams = Counter(
        tuple(words[start : start + n]) for words in captions for start in range(len(words) - n + 1)
    )
    return len(ngrams) / max(1, ngrams.total())


def _copied(texts: Sequence[str], training_captions: Iterable[str]) -> float:
    seen = {normalized(text) for text in training_captions}
    return sum(text in seen for text in texts) / len(texts)
