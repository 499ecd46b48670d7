"""ROUGE-L as the official COCO caption evaluation computes it.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", with beta = 1.2. The best precision and the best
recall are taken independently, so they may come from different references.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.longest_subsequence import longest_common_subsequence, places_of

BETA = 1.2

EMPTY = ("",)
"""The official code sees an empty caption as one empty token; so two empty captions agree wholly."""


def coco_rouge_l(corpus: Corpus) -> Measurement:
    """COCO's ROUGE-L over all images (the mean) and for each, in [0, 1]."""
    per_image = np.empty(len(corpus.ids))
    references = iter(corpus.reference_tokens)
    for image, said in enumerate(corpus.hypothesis_tokens):
        wanted = [next(references) or EMPTY for _ in range(corpus.reference_counts[image])]
        per_image[image] = _score(said or EMPTY, wanted)
    return Measurement.mean(
        per_image, f"{corpus.tokenization}; best precision and best recall over references, mean over images"
    )


def _score(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> float:
    places = places_of(said)
    common = [longest_common_subsequence(places, len(said), tokens) for tokens in wanted]
    precision = max(common) / len(said)
    recall = max(length / len(tokens) for length, tokens in zip(common, wanted, strict=True))
    if not precision:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
