"""BLEU and chrF as the machine translation field reports them: the numbers of the sacrebleu library.

Post 2018, "A Call for Clarity in Reporting BLEU Scores"; Popović 2015, "chrF: character n-gram F-score for automatic MT
evaluation". Both go from 0 to 100, and capital letters and punctuation count: nothing is prepared but what the
library's signature names, and the signature is what the result says. sacrebleu's BLEU is not COCO's (`bleu_4`): its
tokens, its smoothing and its scale differ.
"""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from leyenda.errors import MissingExtra
from leyenda.metrics.corpus import Corpus, Floats, Measurement


def sacrebleu(corpus: Corpus) -> Measurement:
    """BLEU over all images and for each, in [0, 100].

    n goes up to 4, or up to the longest caption where that is shorter (the library's `effective_order`, which it
    advises for single sentences and which changes nothing as soon as one caption has four words).
    """
    metric = _library().BLEU(effective_order=True)
    return _measured(corpus, metric, "n-grams of all references, the closest reference's length")


def chrf(corpus: Corpus) -> Measurement:
    """Character n-gram F-score (n = 1 to 6, recall counts twice) over all images and for each, in [0, 100]."""
    return _measured(corpus, _library().CHRF(), "the reference with the highest chrF, sums over images")


def _measured(corpus: Corpus, metric: Any, references: str) -> Measurement:
    # sacrebleu takes the first reference of every image, then the second of each, ...; None where there is none.
    streams = list(zip_longest(*corpus.references))
    rows = np.array(metric._extract_corpus_statistics(corpus.hypotheses, streams), dtype=np.float64)
    normalization = f"sacrebleu {metric.get_signature()}; {references}"
    return Measurement.summed(rows, partial(_from_sums, metric=metric), normalization)


def _from_sums(sums: Floats, metric: Any) -> Floats:
    """The library's score of summed counts, shape (..., columns) -> (...)."""
    whole = np.rint(sums).astype(np.int64).reshape(-1, sums.shape[-1]).tolist()
    scores = [min(100.0, metric._compute_score_from_stats(counts).score) for counts in whole]
    return np.array(scores).reshape(sums.shape[:-1])


def _library() -> Any:
    try:
        import sacrebleu.metrics
    except ImportError as error:
        raise MissingExtra("BLEU and chrF of sacrebleu", "scores") from error
    return sacrebleu.metrics
