"""How varied the captions are."""

from __future__ import annotations

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.word_error import NORMALIZATION, normalized


def distinct(corpus: Corpus) -> Measurement:
    """Different captions over images, in (0, 1]: 1 when every picture got its own, 1/images when all got the same."""
    different = {normalized(text) for text in corpus.hypotheses}
    return Measurement(len(different) / len(corpus.ids), None, NORMALIZATION)
