"""CIDEr-D as the official COCO caption evaluation computes it (its class is called Cider).

Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation". Without stemming; n = 1 to 4; a penalty
for length with sigma 6, on the difference in bigrams; times 10. An n-gram's weight falls with the number of images
whose references hold it: of the images scored, so that scores of different images cannot be compared and one image
alone scores 0, or of a larger collection (`document_frequencies`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.document_frequencies import images_that_hold
from leyenda.metrics.ngrams import NgramCounts

SIGMA = 6.0
SCALE = 10.0

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def cider_d(corpus: Corpus) -> Measurement:
    """CIDEr-D over all images (the mean) and for each, in [0, 10]."""
    images, references = len(corpus.ids), corpus.image_of_reference
    bigrams = np.bincount(corpus.ngrams[1].caption, corpus.ngrams[1].count, images + len(references))
    difference = bigrams[references] - bigrams[images:]
    penalty = np.exp(-(difference**2) / (2 * SIGMA**2))
    ngrams, rarities = corpus.ngrams, _rarities(corpus)
    similarities = [_similarity(corpus, *pair) for pair in zip(ngrams, rarities, strict=True)]
    similarity = np.mean(similarities, axis=0) * penalty
    per_image = np.bincount(references, similarity, images) / corpus.reference_counts * SCALE
    return Measurement.mean(per_image, f"{corpus.tokenization}; mean over references; {_weights(corpus)}")


def _weights(corpus: Corpus) -> str:
    if corpus.document_frequencies is not None:
        return corpus.document_frequencies.description
    return f"n-gram weights from the references of the images scored ({len(corpus.ids):,} images)"


def _similarity(corpus: Corpus, counts: NgramCounts, rarity: Floats) -> Floats:
    """Clipped cosine of each reference with its image's hypothesis, for one n, shape (references,)."""
    images = len(corpus.ids)
    references = len(corpus.image_of_reference)
    weight = counts.count * rarity[counts.ngram]
    norm = np.sqrt(np.bincount(counts.caption, weight**2, images + references))
    said, wanted = counts.in_common(corpus.image_of_reference, images)
    products = np.minimum(weight[said], weight[wanted]) * weight[wanted]
    overlap = np.bincount(counts.caption[wanted] - images, products, references)
    norms = norm[corpus.image_of_reference] * norm[images:]
    cosine: Floats = np.divide(overlap, norms, out=np.zeros(references), where=norms > 0)
    return cosine


def _rarities(corpus: Corpus) -> list[Floats]:
    """Per n, ln(images) - ln(images whose references hold the n-gram), for every n-gram, shape (kinds,)."""
    if corpus.document_frequencies is None:
        images, frequencies = len(corpus.ids), [_frequency(corpus, counts) for counts in corpus.ngrams]
    else:
        images = corpus.document_frequencies.images
        frequencies = corpus.document_frequencies.of(corpus.ngrams, corpus.vocabulary)
    return [np.asarray(math.log(images) - np.log(np.maximum(1, frequency))) for frequency in frequencies]


def _frequency(corpus: Corpus, counts: NgramCounts) -> Integers:
    written = counts.caption >= len(corpus.ids)
    image = corpus.image_of_reference[counts.caption[written] - len(corpus.ids)]
    return images_that_hold(counts, image, counts.ngram[written])
