"""What models make of texts and pictures: vectors of length 1, whose products are cosines."""

from __future__ import annotations

from typing import Any

import numpy as np

from leyenda.metrics.corpus import Corpus, Floats


def unit_vectors(features: Any) -> Floats:
    """Vectors divided by their lengths.

    Args:
        features: tensor of shape (batch, width). A vector of zeros or with a number that is not finite has no
            direction: it becomes zeros, which resemble nothing.
    """
    vectors = features.detach().double().cpu().numpy()
    vectors = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0.0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))


def best_cosines(hypotheses: Floats, references: Floats, corpus: Corpus) -> Floats:
    """For every image the highest cosine of its caption with one of its references, shape (images,).

    Args:
        hypotheses: unit vectors, shape (images, width).
        references: unit vectors of all references, image after image, shape (references, width).
        corpus: says which reference belongs to which image.
    """
    cosines = (hypotheses[corpus.image_of_reference] * references).sum(axis=1)
    return np.asarray(np.maximum.reduceat(cosines, corpus.first_reference).clip(-1.0, 1.0))
