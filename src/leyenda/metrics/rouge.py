"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum as F1 scores; the numbers are those of the rouge-score library.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries". The library's own tokens are ASCII letters and
digits only (`niño` becomes `ni o`); here they are Unicode letters and digits, which is the same on ASCII text.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.longest_subsequence import (
    longest_common_subsequence,
    places_of,
    union_of_common_subsequences,
)
from leyenda.metrics.ngrams import NgramCounts, count_ngrams
from leyenda.metrics.unicode_tokenizer import letter_runs

NORMALIZATION = (
    "lower case, Unicode NFC, runs of letters and digits, no stemming; F1 of the reference where it is highest, "
    "mean over images"
)

Numbers = np.ndarray[Any, np.dtype[Any]]
Tokens = list[tuple[str, ...]]


def rouge_n(corpus: Corpus, order: int) -> Measurement:
    """ROUGE-N F1 over all images (the mean) and for each, in [0, 1].

    Args:
        corpus: captions and references.
        order: words in an n-gram, 1 or 2.
    """
    counts = corpus.once(_ngrams)[order - 1]
    images, references = len(corpus.ids), corpus.image_of_reference
    said, wanted = counts.in_common(references, images)
    overlap = np.bincount(
        counts.caption[wanted] - images, np.minimum(counts.count[said], counts.count[wanted]), len(references)
    )
    totals = np.bincount(counts.caption, counts.count, images + len(references))
    return _best(corpus, overlap, totals)


def rouge_l(corpus: Corpus) -> Measurement:
    """ROUGE-L F1 (longest common subsequence) over all images (the mean) and for each, in [0, 1]."""
    said, wanted = corpus.once(_tokens)
    places = [places_of(tokens) for tokens in said]
    common = [
        longest_common_subsequence(places[image], len(said[image]), tokens)
        for image, tokens in zip(corpus.image_of_reference, wanted, strict=True)
    ]
    totals = np.array([len(tokens) for tokens in chain(said, wanted)], dtype=np.float64)
    return _best(corpus, np.array(common, dtype=np.float64), totals)


def rouge_lsum(corpus: Corpus) -> Measurement:
    """ROUGE-Lsum F1 over all images (the mean) and for each, in [0, 1]: ROUGE-L of texts with a sentence a line.

    What the caption's lines have in common with a line of the reference is united (section 3.2 of the paper). For
    captions of one line it is ROUGE-L.
    """
    said, wanted = corpus.once(_lines)
    common = [
        union_of_common_subsequences(said[image], lines)
        for image, lines in zip(corpus.image_of_reference, wanted, strict=True)
    ]
    totals = [sum(map(len, lines)) for lines in chain(said, wanted)]
    normalization = f"{NORMALIZATION}; line breaks part sentences"
    return _best(corpus, np.array(common), np.array(totals), normalization)


def _best(
    corpus: Corpus, overlap: Numbers, totals: Numbers, normalization: str = NORMALIZATION
) -> Measurement:
    """The highest F1 of each image's references, given what caption and reference share and hold."""
    images = len(corpus.ids)
    both = totals[corpus.image_of_reference] + totals[images:]
    f1 = np.divide(2 * overlap, both, out=np.zeros(len(both)), where=both > 0)
    per_image = np.maximum.reduceat(f1, corpus.first_reference)
    return Measurement.mean(per_image, normalization)


def _tokens(corpus: Corpus) -> tuple[Tokens, Tokens]:
    said = [letter_runs(text) for text in corpus.hypotheses]
    return said, [letter_runs(text) for texts in corpus.references for text in texts]


def _lines(corpus: Corpus) -> tuple[list[Tokens], list[Tokens]]:
    def lines(text: str) -> Tokens:
        return [letter_runs(line) for line in text.split("\n")]

    return [lines(text) for text in corpus.hypotheses], [
        lines(text) for texts in corpus.references for text in texts
    ]


def _ngrams(corpus: Corpus) -> list[NgramCounts]:
    said, wanted = corpus.once(_tokens)
    return count_ngrams(said + wanted, orders=2)[0]
