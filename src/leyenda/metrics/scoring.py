"""Generated captions and what people wrote, in; scores, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leyenda.metrics.corpus import Corpus
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.metrics.registry import chosen
from leyenda.records import Scores


def score(
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    metrics: Sequence[str] | None = None,
    *,
    tokenizer: str = "ptb",
    document_frequencies: DocumentFrequencies | None = None,
) -> Scores:
    """Score captions against all their references.

    Args:
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it, at least one caption; the same ids.
        metrics: names in `METRICS`; None: all of them.
        tokenizer: what BLEU, CIDEr-D and COCO's ROUGE-L compare: `ptb` (the official COCO tokens, for English) or
            `unicode` (Unicode words, for every language).
        document_frequencies: what CIDEr-D weighs n-grams by (`leyenda.metrics.document_frequencies`); None: counts in
            these references.

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
    return measured(corpus, [metric.name for metric in wanted])


def measured(corpus: Corpus, metrics: Sequence[str] | None) -> Scores:
    """The scores of a corpus that is already checked."""
    values, per_image, normalization = {}, {}, {}
    for metric in chosen(metrics):
        measurement = metric.measure(corpus)
        values[metric.name] = measurement.value
        normalization[metric.name] = measurement.normalization
        if measurement.per_image is not None:
            per_image[metric.name] = dict(zip(corpus.ids, measurement.per_image.tolist(), strict=True))
    return Scores(values, per_image, normalization, len(corpus.ids))
