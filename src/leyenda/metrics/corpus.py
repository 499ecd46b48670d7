"""The captions to be scored and what people wrote, checked and prepared once for every metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from leyenda.errors import ScoreError, near
from leyenda.metrics.ngrams import NgramCounts, count_ngrams
from leyenda.metrics.ptb_tokenizer import ptb_tokens
from leyenda.metrics.unicode_tokenizer import unicode_tokens

if TYPE_CHECKING:
    from leyenda.metrics.document_frequencies import DocumentFrequencies

Result = TypeVar("Result")

TOKENIZERS: Mapping[str, tuple[Callable[[str], tuple[str, ...]], str]] = {
    "ptb": (
        ptb_tokens,
        "Penn Treebank tokens as in the official COCO caption evaluation (rules for English): "
        "lower case, punctuation dropped",
    ),
    "unicode": (
        unicode_tokens,
        "Unicode NFC, lower case, words by the boundaries of Unicode (UAX #29); punctuation and emoji dropped",
    ),
}
"""Tokenizers that BLEU, CIDEr-D and ROUGE can use: name -> function, and how it prepares text, in words."""

NAMED_IDS = 20
"""How many image ids an error message lists."""


Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Statistics:
    """What a score over any set of images is computed from: numbers of each image, summed, then combined.

    So the score of other sets (resampled images, swapped captions) needs no caption to be read again.

    Args:
        rows: shape (images, columns), images in the corpus's order.
        combine: sums of rows, shape (..., columns), -> scores, shape (...,); defined for every sum of at least one
            row, never NaN.
    """

    rows: Floats
    combine: Callable[[Floats], Floats] = field(repr=False)


@dataclass(frozen=True)
class Measurement:
    """One metric's outcome.

    Args:
        value: over all images.
        per_image: of each image alone, in the corpus's order; None where that makes no sense.
        normalization: how the text was prepared, in words.
        statistics: what `value` comes from; None for a score that is no sum over images.
    """

    value: float
    per_image: Floats | None
    normalization: str
    statistics: Statistics | None = None

    @classmethod
    def mean(cls, per_image: Floats, normalization: str) -> Measurement:
        """A metric that is the mean over images."""
        rows = np.column_stack([per_image, np.ones(len(per_image))])
        return cls(float(per_image.mean()), per_image, normalization, Statistics(rows, ratio))

    @classmethod
    def summed(cls, rows: Floats, combine: Callable[[Floats], Floats], normalization: str) -> Measurement:
        """A metric that is computed from sums over images, and of one image from its own row alone."""
        overall = float(combine(rows.sum(axis=0)))
        return cls(overall, combine(rows), normalization, Statistics(rows, combine))


def ratio(sums: Floats) -> Floats:
    """The first column over the second, or over 1 where that is less.

    >>> ratio(np.array([[3.0, 4.0], [2.0, 0.0]])).tolist()
    [0.75, 2.0]
    """
    return np.asarray(sums[..., 0] / np.maximum(1.0, sums[..., 1]))


@dataclass
class Corpus:
    """Hypotheses beside their references, in one order; prepared forms are made when first asked for.

    Args:
        ids: image ids, in the order of the hypotheses.
        hypotheses: one caption per image.
        references: what people wrote, at least one caption per image.
        tokenizer: a name in `TOKENIZERS`.
        document_frequencies: what CIDEr-D weighs n-grams by; None: counts in these references.
    """

    ids: tuple[str, ...]
    hypotheses: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    tokenizer: str = "ptb"
    document_frequencies: DocumentFrequencies | None = None
    _results: dict[object, object] = field(default_factory=dict, repr=False)

    @classmethod
    def checked(
        cls,
        hypotheses: Mapping[str, str],
        references: Mapping[str, Sequence[str]],
        tokenizer: str = "ptb",
        document_frequencies: DocumentFrequencies | None = None,
    ) -> Corpus:
        """A corpus of captions that fit together.

        Raises:
            ScoreError: no images, ids on one side only, an image without references, an unknown tokenizer, or
                document frequencies that were counted with another tokenizer.
        """
        tokenizer_named(tokenizer)
        if document_frequencies is not None:
            document_frequencies.check_tokenizer(tokenizer)
        check_ids(hypotheses, references)
        ids = tuple(hypotheses)
        said = tuple(hypotheses[i] for i in ids)
        return cls(ids, said, tuple(tuple(references[i]) for i in ids), tokenizer, document_frequencies)

    def with_hypotheses(self, hypotheses: Sequence[str]) -> Corpus:
        """The same images and references with other captions."""
        return Corpus(self.ids, tuple(hypotheses), self.references, self.tokenizer, self.document_frequencies)

    def once(self, measure: Callable[[Corpus], Result]) -> Result:
        """What `measure` returns for this corpus, computed the first time only."""
        if measure not in self._results:
            self._results[measure] = measure(self)
        return self._results[measure]  # type: ignore[return-value]

    @property
    def tokenization(self) -> str:
        """How tokens are made, in words."""
        return tokenizer_named(self.tokenizer)[1]

    @cached_property
    def reference_counts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """References per image, shape (images,)."""
        return np.array([len(texts) for texts in self.references], dtype=np.int64)

    @cached_property
    def image_of_reference(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """For every reference, in order, the place of its image, shape (references,)."""
        return np.repeat(np.arange(len(self.ids)), self.reference_counts)

    @cached_property
    def first_reference(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """For every image, the place of its first reference among all references, shape (images,)."""
        return np.concatenate(([0], np.cumsum(self.reference_counts)[:-1]))

    @cached_property
    def hypothesis_tokens(self) -> list[tuple[str, ...]]:
        """Tokens of every hypothesis."""
        tokenize = tokenizer_named(self.tokenizer)[0]
        return [tokenize(text) for text in self.hypotheses]

    @cached_property
    def reference_tokens(self) -> list[tuple[str, ...]]:
        """Tokens of every reference, in one flat list."""
        tokenize = tokenizer_named(self.tokenizer)[0]
        return [tokenize(text) for texts in self.references for text in texts]

    @property
    def ngrams(self) -> list[NgramCounts]:
        """n-grams of n = 1..4 of all captions: the hypotheses first, then all references."""
        return self.once(_count_ngrams)[0]

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that `ngrams` are made of."""
        return self.once(_count_ngrams)[1]


def _count_ngrams(corpus: Corpus) -> tuple[list[NgramCounts], tuple[str, ...]]:
    return count_ngrams(corpus.hypothesis_tokens + corpus.reference_tokens)


def tokenizer_named(name: str) -> tuple[Callable[[str], tuple[str, ...]], str]:
    """The tokenizer of that name, and how it prepares text, in words.

    Raises:
        ScoreError: there is none; near names are listed.
    """
    if name not in TOKENIZERS:
        hint = near(name, TOKENIZERS) or "They are: " + ", ".join(TOKENIZERS) + "."
        raise ScoreError(f"There is no tokenizer {name!r}.", hint)
    return TOKENIZERS[name]


def check_ids(hypotheses: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> None:
    """Make sure that every image has a caption and references, all of them text.

    Raises:
        ScoreError: no images, ids on one side only, an image without references, a caption that is no text.
    """
    if not hypotheses and not references:
        raise ScoreError("There is nothing to score: no captions were given.", "Give at least one image.")
    missing = [image for image in references if image not in hypotheses]
    if missing:
        raise ScoreError(
            f"{_count(missing)} no generated caption: {_some(missing)}.",
            "Caption every image, or leave it out.",
        )
    extra = [image for image in hypotheses if image not in references]
    if extra:
        raise ScoreError(
            f"{_count(extra)} a generated caption but no references: {_some(extra)}.",
            "Add references, or leave the captions out.",
        )
    for image, texts in references.items():
        if isinstance(texts, str):
            raise ScoreError(f"The references of {image!r} are one text.", "Give a list of captions.")
        for text in (hypotheses[image], *texts):
            if not isinstance(text, str):
                raise ScoreError(
                    f"A caption of {image!r} is {text!r}.", "Captions must be text; an empty one is ''."
                )
    bare = [image for image, texts in references.items() if not len(texts)]
    if bare:
        raise ScoreError(
            f"{_count(bare)} an empty list of references: {_some(bare)}.", "Every image needs at least one."
        )


def _count(images: Sequence[str]) -> str:
    return "1 image has" if len(images) == 1 else f"{len(images)} images have"


def _some(images: Sequence[str]) -> str:
    named = ", ".join(repr(image) for image in images[:NAMED_IDS])
    return named + (f" and {len(images) - NAMED_IDS} more" if len(images) > NAMED_IDS else "")
