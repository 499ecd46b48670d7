"""Word and character errors against the reference that a caption comes closest to.

Levenshtein distances by rapidfuzz, which is what jiwer counts with; the numbers are jiwer's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leyenda.errors import MissingExtra
from leyenda.metrics.corpus import Corpus, Measurement, ratio
from leyenda.metrics.unicode_tokenizer import nfc

NORMALIZATION = "lower case, Unicode NFC, Unicode punctuation removed, white space collapsed; accents stay"
NEAREST_WORDS = "the reference with the lowest error rate (ties: fewer errors, then the first)"
_BY_NEAREST = f"{NORMALIZATION}; nearest reference: {NEAREST_WORDS}; sums over images"

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class _Punctuation(dict[int, int | None]):
    """For `str.translate`: every Unicode punctuation character (category P) is removed."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)).startswith("P") else code
        return self[code]


_PUNCTUATION = _Punctuation()


def normalized(text: str) -> str:
    """Text as word and character errors compare it.

    >>> normalized(" ¡Un  NIÑO, corre! ")
    'un niño corre'
    """
    return " ".join(nfc(nfc(text).lower()).translate(_PUNCTUATION).split())


def wer(corpus: Corpus) -> Measurement:
    """Word error rate against the nearest reference.

    An image's rate is its word errors over the words of its nearest reference, or over 1 when that is empty (so
    its value is then the number of words said). Over all images: summed errors over summed words of the nearest
    references.
    """
    return _nearest(corpus, _words, _BY_NEAREST)


def wer_first(corpus: Corpus) -> Measurement:
    """Word error rate against each image's first reference, as with a data set of one caption per image."""
    edits, lengths = corpus.once(_words)
    first = corpus.first_reference
    return _rates(edits[first], lengths[first], f"{NORMALIZATION}; first reference only; sums over images")


def cer(corpus: Corpus) -> Measurement:
    """Character error rate (spaces count) against the nearest reference, which may differ from that of `wer`."""
    return _nearest(corpus, _characters, _BY_NEAREST)


def mer(corpus: Corpus) -> Measurement:
    """Match error rate, in [0, 1]: errors over errors and words right, against the nearest reference (as `wer`).

    Morris, Maier and Green 2004, "From WER and RIL to MER and WIL". Which words are right follows jiwer's alignment.
    """
    return Measurement.summed(corpus.once(_aligned), _match_error_rate, _BY_NEAREST)


def wil(corpus: Corpus) -> Measurement:
    """Word information lost, in [0, 1], against the nearest reference (as `wer`).

    One minus the share of the caption's words that are right times the share of the reference's words that are. Morris,
    Maier and Green 2004, "From WER and RIL to MER and WIL". Which words are right follows jiwer's alignment.
    """
    return Measurement.summed(corpus.once(_aligned), _information_lost, _BY_NEAREST)


def constant_rates(corpus: Corpus, captions: Sequence[str]) -> list[float]:
    """What `wer` would be if every image had the same caption, for each of these captions.

    Args:
        corpus: the images and their references; its hypotheses do not matter.
        captions: the captions to try.

    Raises:
        MissingExtra: the part of leyenda that counts errors is not installed.
    """
    said = [normalized(text) for text in captions]
    wanted = [normalized(text) for texts in corpus.references for text in texts]
    said, wanted = _one_character_per_word(said, wanted)
    lengths = _lengths(wanted)
    edits = _rapidfuzz().process.cdist(said, wanted, scorer=_distance(), dtype=np.int64)
    chosen = (_nearest_references(corpus, row, lengths) for row in edits)
    return [_overall(row[nearest], lengths[nearest]) for row, nearest in zip(edits, chosen, strict=True)]


def _nearest(
    corpus: Corpus, count: Callable[[Corpus], tuple[Integers, Integers]], normalization: str
) -> Measurement:
    edits, lengths = corpus.once(count)
    nearest = _nearest_references(corpus, edits, lengths)
    return _rates(edits[nearest], lengths[nearest], normalization)


def _nearest_references(corpus: Corpus, edits: Integers, lengths: Integers) -> Integers:
    """For every image, the place of its nearest reference among all references, shape (images,)."""
    rate = edits / np.maximum(1, lengths)
    order = np.lexsort((edits, rate, corpus.image_of_reference))  # stable, so the first of equals stays first
    return np.asarray(order[corpus.first_reference])


def _rates(edits: Integers, lengths: Integers, normalization: str) -> Measurement:
    return Measurement.summed(np.column_stack([edits, lengths]).astype(np.float64), ratio, normalization)


def _overall(edits: Integers, lengths: Integers) -> float:
    return float(edits.sum() / max(1, lengths.sum()))


def _aligned(corpus: Corpus) -> Floats:
    """Words right, errors, words wanted and words said, against the nearest reference; shape (images, 4)."""
    edits, lengths = corpus.once(_words)
    nearest = _nearest_references(corpus, edits, lengths)
    hypotheses, references = corpus.once(_texts)
    said, wanted = _one_character_per_word(
        [hypotheses[place] for place in nearest], [references[place] for place in nearest]
    )
    opcodes = _rapidfuzz().distance.Levenshtein.opcodes
    rows = [
        (sum(op.src_end - op.src_start for op in opcodes(right, words) if op.tag == "equal"), len(words))
        for words, right in zip(said, wanted, strict=True)
    ]
    hits, said_words = np.array(rows).T
    return np.column_stack([hits, edits[nearest], lengths[nearest], said_words]).astype(np.float64)


def _match_error_rate(sums: Floats) -> Floats:
    hits, errors = sums[..., 0], sums[..., 1]
    return np.asarray(errors / np.maximum(1.0, hits + errors))


def _information_lost(sums: Floats) -> Floats:
    hits, wanted, said = sums[..., 0], sums[..., 2], sums[..., 3]
    kept = hits**2 / np.maximum(1.0, wanted * said)
    return np.asarray(1.0 - np.where((wanted == 0) & (said == 0), 1.0, kept))


def _words(corpus: Corpus) -> tuple[Integers, Integers]:
    """Word errors and words of every reference."""
    return count_errors(*corpus.once(_texts), words=True)


def _characters(corpus: Corpus) -> tuple[Integers, Integers]:
    """Character errors and characters of every reference."""
    return count_errors(*corpus.once(_texts), words=False)


def _texts(corpus: Corpus) -> tuple[list[str], list[str]]:
    """Normalised hypothesis and reference, side by side, for every reference."""
    said = [normalized(text) for text in corpus.hypotheses]
    wanted = [normalized(text) for texts in corpus.references for text in texts]
    return [said[image] for image in corpus.image_of_reference], wanted


def count_errors(
    hypotheses: Sequence[str], references: Sequence[str], *, words: bool
) -> tuple[Integers, Integers]:
    """Substitutions, deletions and insertions that turn each reference into its hypothesis.

    Args:
        hypotheses: normalised texts.
        references: as many normalised texts.
        words: count words (apart by spaces); otherwise characters.

    Returns:
        Errors, shape (pairs,), and length of each reference in words or characters, shape (pairs,).

    Raises:
        MissingExtra: the part of leyenda that counts errors is not installed.

    >>> edits, lengths = count_errors(["a dog runs"], ["the dog"], words=True)
    >>> edits.tolist(), lengths.tolist()
    ([2], [2])
    """
    if words:
        hypotheses, references = _one_character_per_word(hypotheses, references)
    edits = _rapidfuzz().process.cpdist(hypotheses, references, scorer=_distance(), dtype=np.int64)
    return edits.reshape(-1), _lengths(references)


def _lengths(texts: Sequence[str]) -> Integers:
    return np.array([len(text) for text in texts], dtype=np.int64)


def _rapidfuzz() -> Any:
    try:
        import rapidfuzz
        import rapidfuzz.process
    except ImportError as error:
        raise MissingExtra("Counting word errors", "scores") from error
    return rapidfuzz


def _distance() -> Any:
    return _rapidfuzz().distance.Levenshtein.distance


def _one_character_per_word(*sides: Sequence[str]) -> list[list[str]]:
    """Texts in which every different word is one character, so that distances count words."""
    characters: dict[str, str] = {}
    known: dict[str, str] = {}

    def short(text: str) -> str:
        if text not in known:
            known[text] = "".join(
                characters.setdefault(word, chr(_FIRST + len(characters))) for word in text.split()
            )
        return known[text]

    return [[short(text) for text in side] for side in sides]


_FIRST = 0xE000
"""Beyond the surrogates, so that a million words fit below the end of Unicode."""
