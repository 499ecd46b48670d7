"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum as F1 scores; the numbers are those of the rouge-score library.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries". The library's tokens are runs of ASCII letters and
digits, which suits English only (`niño` becomes `ni o`); with the tokenizer `unicode` they are runs of any letters and
digits, which is the same on ASCII text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
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
from leyenda.metrics.unicode_tokenizer import CACHED_CAPTIONS, letter_runs

ENGLISH = "lower case, runs of ASCII letters and digits as in rouge-score (for English)"
UNICODE = "lower case, Unicode NFC, runs of letters and digits"

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
    return _best(corpus, np.array(common), np.array(totals), "; line breaks part sentences")


def _best(corpus: Corpus, overlap: Numbers, totals: Numbers, more: str = "") -> Measurement:
    """The highest F1 of each image's references, given what caption and reference share and hold."""
    images = len(corpus.ids)
    both = totals[corpus.image_of_reference] + totals[images:]
    f1 = np.divide(2 * overlap, both, out=np.zeros(len(both)), where=both > 0)
    per_image = np.maximum.reduceat(f1, corpus.first_reference)
    words = UNICODE if corpus.tokenizer == "unicode" else ENGLISH
    normalization = f"{words}, no stemming; F1 of the reference where it is highest, mean over images{more}"
    return Measurement.mean(per_image, normalization)


_ASCII_RUN = re.compile("[a-z0-9]+")


@lru_cache(maxsize=CACHED_CAPTIONS)
def ascii_runs(caption: str) -> tuple[str, ...]:
    """The words of the rouge-score library.

    >>> ascii_runs("The niño's T-shirt")
    ('the', 'ni', 'o', 's', 't', 'shirt')
    """
    return tuple(_ASCII_RUN.findall(caption.lower()))


def _tokenizer(corpus: Corpus) -> Callable[[str], tuple[str, ...]]:
    return letter_runs if corpus.tokenizer == "unicode" else ascii_runs


def _tokens(corpus: Corpus) -> tuple[Tokens, Tokens]:
    words = _tokenizer(corpus)
    said = [words(text) for text in corpus.hypotheses]
    return said, [words(text) for texts in corpus.references for text in texts]


def _lines(corpus: Corpus) -> tuple[list[Tokens], list[Tokens]]:
    words = _tokenizer(corpus)

    def lines(text: str) -> Tokens:
        return [words(line) for line in text.split("\n")]

    return [lines(text) for text in corpus.hypotheses], [
        lines(text) for texts in corpus.references for text in texts
    ]


def _ngrams(corpus: Corpus) -> list[NgramCounts]:
    said, wanted = corpus.once(_tokens)
    return count_ngrams(said + wanted, orders=2)[0]
