"""Generated captions and what people wrote, in; scores, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.metrics.intervals import intervals
from leyenda.metrics.registry import Metric, chosen
from leyenda.records import Resampling, Scores


def score(
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    metrics: Sequence[str | Metric] | None = None,
    *,
    tokenizer: str = "ptb",
    document_frequencies: DocumentFrequencies | None = None,
    resampling: Resampling | None = None,
) -> Scores:
    """Score captions against all their references.

    Args:
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it, at least one caption; the same ids.
        metrics: names in `METRICS`, or metrics that are not in it (CHAIR with its objects); None: the usual ones
            (`Metric.usual`).
        tokenizer: what BLEU, CIDEr-D and every ROUGE compare: `ptb` (for English: the official COCO tokens, and
            rouge-score's own for `rouge1` and the like) or `unicode` (Unicode words, for every language).
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
    return measured(corpus, wanted, resampling)


def measured(
    corpus: Corpus, metrics: Sequence[str | Metric] | None, resampling: Resampling | None = None
) -> Scores:
    """The scores of a corpus that is already checked, with intervals where it is said how to compute them."""
    return gathered(corpus, {metric.name: metric.measure(corpus) for metric in chosen(metrics)}, resampling)


def gathered(
    corpus: Corpus, measurements: Mapping[str, Measurement], resampling: Resampling | None = None
) -> Scores:
    """Measurements of one corpus, by name, as scores."""
    per_image = {
        name: dict(zip(corpus.ids, each.per_image.tolist(), strict=True))
        for name, each in measurements.items()
        if each.per_image is not None
    }
    statistics = {name: each.statistics for name, each in measurements.items() if each.statistics is not None}
    return Scores(
        {name: each.value for name, each in measurements.items()},
        per_image,
        {name: each.normalization for name, each in measurements.items()},
        len(corpus.ids),
        intervals(statistics, resampling) if resampling else {},
        resampling,
    )
