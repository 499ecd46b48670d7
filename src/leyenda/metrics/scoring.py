"""Generated captions and what people wrote, in; scores, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leyenda.metrics.corpus import Corpus
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.metrics.intervals import intervals
from leyenda.metrics.registry import chosen
from leyenda.records import Resampling, Scores


def score(
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    metrics: Sequence[str] | None = None,
    *,
    tokenizer: str = "ptb",
    document_frequencies: DocumentFrequencies | None = None,
    resampling: Resampling | None = None,
) -> Scores:
    """Score captions against all their references.

    Args:
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it, at least one caption; the same ids.
        metrics: names in `METRICS`; None: the usual ones (`Metric.usual`).
        tokenizer: what BLEU, CIDEr-D and COCO's ROUGE-L compare: `ptb` (the official COCO tokens, for English) or
            `unicode` (Unicode words, for every language).
        document_frequencies: what CIDEr-D weighs n-grams by (`leyenda.metrics.document_frequencies`); None: counts in
            these references.
        resampling: how 95% intervals over images are computed; None: without intervals.

    Returns:
        The values, in the order asked for, with how each metric prepared the text.

    Raises:
        ScoreError: no images, ids on one side only, an image without references, an unknown metric or tokenizer,
            document frequencies of another tokenizer.
        MissingExtra: a metric needs a part of leyenda that is not installed.

    >>> scores = score({"1": "a dog runs"}, {"1": ["a dog runs fast", "the dog is running"]}, ["wer", "rouge1"])
    >>> {name: round(value, 2) for name, value in scores.values.items()}
    {'wer': 0.25, 'rouge1': 0.86}
    """
    wanted = chosen(metrics)
    corpus = Corpus.checked(hypotheses, references, tokenizer, document_frequencies)
    return measured(corpus, [metric.name for metric in wanted], resampling)


def measured(corpus: Corpus, metrics: Sequence[str] | None, resampling: Resampling | None = None) -> Scores:
    """The scores of a corpus that is already checked, with intervals where it is said how to compute them."""
    values, per_image, normalization, statistics = {}, {}, {}, {}
    for metric in chosen(metrics):
        measurement = metric.measure(corpus)
        values[metric.name] = measurement.value
        normalization[metric.name] = measurement.normalization
        if measurement.per_image is not None:
            per_image[metric.name] = dict(zip(corpus.ids, measurement.per_image.tolist(), strict=True))
        if measurement.statistics is not None:
            statistics[metric.name] = measurement.statistics
    bounds = intervals(statistics, resampling) if resampling else {}
    return Scores(values, per_image, normalization, len(corpus.ids), bounds, resampling)
