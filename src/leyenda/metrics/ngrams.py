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
        kinds: how many different n-grams there are.
    """

    caption: Integers
    ngram: Integers
    count: Integers
    kinds: int

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


def count_ngrams(captions: Sequence[Sequence[str]], orders: int = 4) -> list[NgramCounts]:
    """Count the n-grams of n = 1 to `orders` in every caption.

    Args:
        captions: tokens of each caption. A token that holds a (no-break) space counts as several words here, as it
            does in the official COCO caption evaluation.
        orders: the longest n.

    Returns:
        One `NgramCounts` per n, n ascending.

    >>> [int(counts.kinds) for counts in count_ngrams([("a", "dog", "a", "dog")])]
    [2, 2, 2, 1]
    """
    split = [_words(tokens) for tokens in captions]
    lengths = np.array([len(words) for words in split], dtype=np.int64)
    words = tuple(chain.from_iterable(split))
    vocabulary: dict[str, int] = {}
    word = np.fromiter((vocabulary.setdefault(w, len(vocabulary)) for w in words), np.int64, len(words))
    caption = np.repeat(np.arange(len(split)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(
        len(words)
    )  # words from here to the caption's end
    starts = np.arange(len(words))
    ngram = word
    counts = []
    for order in range(1, orders + 1):
        if order > 1:
            longer = left[starts] >= order
            starts = starts[longer]
            ngram = ngram[longer] * len(vocabulary) + word[starts + order - 1]
        kinds, ngram = np.unique(ngram, return_inverse=True)
        rows, count = np.unique(caption[starts] * max(1, len(kinds)) + ngram, return_counts=True)
        counts.append(NgramCounts(*np.divmod(rows, max(1, len(kinds))), count, len(kinds)))
    return counts


def _words(tokens: Sequence[str]) -> Sequence[str]:
    joined = " ".join(tokens)
    return tokens if joined.isascii() else joined.split()
