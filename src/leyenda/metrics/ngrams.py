"""n-grams of many captions as arrays, so that BLEU and CIDEr-D count, clip and weigh without loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class NgramCounts:
    """How often each n-gram of one length stands in each caption; one row per caption and n-gram.

    Args:
        caption: the caption's place, ascending, shape (rows,).
        ngram: the n-gram's number in [0, kinds), ascending within a caption, shape (rows,).
        count: how often it stands there, at least 1, shape (rows,).
        start: the first n - 1 words of each n-gram, as a number of the n-grams of n - 1 words, shape (kinds,); 0
            for single words.
        last: the last word of each n-gram, as a number in the vocabulary, shape (kinds,).
    """

    caption: Integers
    ngram: Integers
    count: Integers
    start: Integers
    last: Integers

    @property
    def kinds(self) -> int:
        """How many different n-grams there are."""
        return len(self.last)

    def in_common(self, image_of_reference: Integers, images: int) -> tuple[Integers, Integers]:
        """Rows of n-grams that a reference shares with its image's hypothesis.

        Args:
            image_of_reference: the image that each reference belongs to, shape (references,).
            images: how many images there are; the captions are one hypothesis each, then the references.

        Returns:
            Rows of hypotheses and rows of references that belong together, each of shape (shared,).
        """
        hypotheses = int(np.searchsorted(self.caption, images))
        # A hypothesis stands at its image's place, so these keys ascend.
        said = self.caption[:hypotheses] * self.kinds + self.ngram[:hypotheses]
        image = image_of_reference[self.caption[hypotheses:] - images]
        wanted = image * self.kinds + self.ngram[hypotheses:]
        place = np.searchsorted(said, wanted)
        inside = place < hypotheses
        inside[inside] = said[place[inside]] == wanted[inside]
        return place[inside], np.flatnonzero(inside) + hypotheses


def count_ngrams(
    captions: Sequence[Sequence[str]], orders: int = 4
) -> tuple[list[NgramCounts], tuple[str, ...]]:
    """Count the n-grams of n = 1 to `orders` in every caption.

    Args:
        captions: tokens of each caption. A token that holds a (no-break) space counts as several words here, as it
            does in the official COCO caption evaluation.
        orders: the longest n.

    Returns:
        One `NgramCounts` per n, n ascending, and the vocabulary: the different words, sorted.

    >>> ngrams, vocabulary = count_ngrams([("a", "dog", "a", "dog")])
    >>> [counts.kinds for counts in ngrams], vocabulary
    ([2, 2, 2, 1], ('a', 'dog'))
    """
    split = [_words(tokens) for tokens in captions]
    lengths = np.fromiter(map(len, split), np.int64, len(split))
    vocabulary = tuple(sorted(set(chain.from_iterable(split))))
    number = {word: place for place, word in enumerate(vocabulary)}
    word = np.fromiter(map(number.__getitem__, chain.from_iterable(split)), np.int64, int(lengths.sum()))
    caption = np.repeat(np.arange(len(split)), lengths)
    # How many words there are from here to the caption's end.
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(word))
    starts = np.arange(len(word))
    ngram = np.zeros(len(word), dtype=np.int64)
    counts = []
    for order in range(1, orders + 1):
        longer = left[starts] >= order
        starts = starts[longer]
        ngram = ngram[longer] * len(vocabulary) + word[starts + order - 1]
        keys, ngram = np.unique(ngram, return_inverse=True)
        rows, count = np.unique(caption[starts] * max(1, len(keys)) + ngram, return_counts=True)
        place = np.divmod(rows, max(1, len(keys)))
        counts.append(NgramCounts(*place, count, *np.divmod(keys, max(1, len(vocabulary)))))
    return counts, vocabulary


def _words(tokens: Sequence[str]) -> Sequence[str]:
    joined = " ".join(tokens)
    return tokens if joined.isascii() else joined.split()
