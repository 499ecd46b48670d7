"""BLEU-1 to BLEU-4 as the official COCO caption evaluation computes them.

Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation". The reference length is the
closest one (the shorter of two equally close); precisions carry the official code's tiny constants, so that a score
is never exactly 1, and a caption shorter than n words scores almost nothing at BLEU-n even when it is perfect.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.ngrams import NgramCounts

TINY = 1e-15
"""Added to what was matched, as in the official code."""
SMALL = 1e-9
"""Added to what was said, as in the official code."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


def bleu(corpus: Corpus, order: int) -> Measurement:
    """BLEU with n-grams up to `order`, over all images and for each.

    Args:
        corpus: captions and references.
        order: the longest n-gram, 1 to 4.
    """
    normalization = f"{corpus.tokenization}; n-grams of all references, the closest reference's length"
    return Measurement.summed(corpus.once(_counts), partial(_from_sums, order=order), normalization)


def _counts(corpus: Corpus) -> Floats:
    """Per image: matches of n = 1..4, n-grams said of n = 1..4, words said, words wanted; shape (images, 10)."""
    images = len(corpus.ids)
    said = _lengths(corpus)[:images]
    wanted = _closest_lengths(corpus, said)
    guesses = np.stack([np.maximum(0, said - shorter) for shorter in range(len(corpus.ngrams))])
    matches = np.stack([_matches(corpus, counts) for counts in corpus.ngrams])
    return np.column_stack([*matches, *guesses, said, wanted]).astype(np.float64)


def _lengths(corpus: Corpus) -> Integers:
    """Words in every caption, hypotheses first."""
    captions = len(corpus.ids) + len(corpus.reference_tokens)
    unigrams = corpus.ngrams[0]
    return np.bincount(unigrams.caption, unigrams.count, captions).astype(np.int64)


def _closest_lengths(corpus: Corpus, said: Integers) -> Integers:
    lengths = _lengths(corpus)[len(corpus.ids) :]
    distance = np.abs(lengths - said[corpus.image_of_reference])
    # One number orders by distance, then by length.
    rank = distance * (lengths.max() + 1) + lengths
    return np.asarray(np.minimum.reduceat(rank, corpus.first_reference) % (lengths.max() + 1))


def _matches(corpus: Corpus, counts: NgramCounts) -> Floats:
    """n-grams of each hypothesis that some reference holds, each counted at most as often as one reference does."""
    said, wanted = counts.in_common(corpus.image_of_reference, len(corpus.ids))
    clipped = np.zeros(len(counts.count), dtype=np.int64)
    np.maximum.at(clipped, said, np.minimum(counts.count[said], counts.count[wanted]))
    matched: Floats = np.bincount(counts.caption, clipped, len(corpus.ids)).astype(np.float64)
    return matched[: len(corpus.ids)]


def _from_sums(sums: Floats, order: int) -> Floats:
    """BLEU with n-grams up to `order` from the columns of `_counts`, shape (..., 10) -> (...)."""
    matches, guesses = sums[..., :order], sums[..., 4 : 4 + order]
    said, wanted = sums[..., 8], sums[..., 9]
    precision = np.prod((matches + TINY) / (guesses + SMALL), axis=-1) ** (1.0 / order)
    ratio = (said + TINY) / (wanted + SMALL)
    return np.asarray(precision * np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio)))
