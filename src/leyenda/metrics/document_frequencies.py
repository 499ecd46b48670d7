"""In how many images' references each n-gram stands: what CIDEr-D weighs n-grams by.

By default CIDEr-D counts in the references of the images that are scored, so that its value on eighty pictures depends
on those eighty. Counted once in a larger collection and saved, the weights are the same for every later score.

A saved file is a NumPy archive (`.npz`) of plain arrays; reading it runs no code:

- `about`: JSON text with `format`, `version`, `tokenizer`, `images`, `origin` and `sha256` of the arrays below;
- `vocabulary`: the different words, UTF-8, one a line;
- `word_N` for N = 1..4: the last word of each n-gram of N words, as a line of `vocabulary` (from 0);
- `start_N` for N = 2..4: its words before the last, as a row of the n-grams of N - 1 words;
- `images_N`: in how many images' references it stands.

Rows ascend by (`start_N`, `word_N`), so a row is found by bisection.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from leyenda.errors import DiskError, ScoreError
from leyenda.metrics.corpus import tokenizer_named
from leyenda.metrics.ngrams import NgramCounts, count_ngrams

FORMAT = "leyenda document frequencies"
VERSION = 1
ORDERS = 4
PICKLE_ENDINGS = (".p", ".pkl", ".pickle")

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class DocumentFrequencies:
    """In how many images' references each n-gram of 1 to 4 words stands.

    Args:
        tokenizer: what made the words (`ptb` or `unicode`).
        images: how many images' references were read.
        origin: where they came from, in words.
        vocabulary: word -> its number.
        keys: per n, the n-grams in ascending order, each as `start * words + word`, shape (kinds,).
        counts: per n, in how many images' references each n-gram stands, from 1 to `images`, shape (kinds,).
    """

    tokenizer: str
    images: int
    origin: str
    vocabulary: Mapping[str, int] = field(repr=False)
    keys: tuple[Integers, ...] = field(repr=False)
    counts: tuple[Integers, ...] = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Checksum of the vocabulary and all counts, in hexadecimal."""
        digest = hashlib.sha256(_written(self.vocabulary))
        for array in (*self.keys, *self.counts):
            digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return digest.hexdigest()

    @property
    def description(self) -> str:
        """What a result says about the weights, in words."""
        return f"n-gram weights from {self.origin} ({self.images:,} images, sha256 {self.sha256[:12]})"

    def check_tokenizer(self, tokenizer: str) -> None:
        """Make sure that these counts are of the same kind of words.

        Raises:
            ScoreError: they are not.
        """
        if tokenizer != self.tokenizer:
            raise ScoreError(
                f"The document frequencies of {self.origin} were counted with the tokenizer {self.tokenizer!r}, "
                f"and the captions are compared with {tokenizer!r}.",
                "Use the same tokenizer for both.",
            )

    def of(self, ngrams: Sequence[NgramCounts], vocabulary: Sequence[str]) -> list[Integers]:
        """The counts of other captions' n-grams; 0 for what was never seen.

        Args:
            ngrams: per n, n-grams whose `last` and `start` say what they are made of.
            vocabulary: the words that `last` numbers.

        Returns:
            Per n, counts of shape (kinds,).
        """
        known = np.fromiter((self.vocabulary.get(word, -1) for word in vocabulary), np.int64, len(vocabulary))
        rows = np.zeros(1, dtype=np.int64)
        found = []
        for counts, keys, images in zip(ngrams, self.keys, self.counts, strict=True):
            start, word = rows[counts.start], known[counts.last]
            key = start * len(self.vocabulary) + word
            place = np.minimum(np.searchsorted(keys, key), max(0, len(keys) - 1))
            here = (start >= 0) & (word >= 0) & (keys[place] == key if len(keys) else False)
            rows = np.where(here, place, -1)
            found.append(np.where(here, images[place] if len(images) else 0, 0))
        return found


def build(
    references: Mapping[str, Sequence[str]] | Iterable[Sequence[str]],
    *,
    tokenizer: str = "ptb",
    origin: str = "a collection of captions",
) -> DocumentFrequencies:
    """Count in how many images' references each n-gram stands.

    Args:
        references: the captions of each image; image ids, where given, do not matter.
        tokenizer: as in `score`.
        origin: where the captions come from, in words, for results.

    Raises:
        ScoreError: no images, an unknown tokenizer, or one text where a list of captions is meant.

    >>> frequencies = build([["a dog", "the dog"], ["a cat"]])
    >>> frequencies.images, [len(counts) for counts in frequencies.counts]
    (2, [4, 3, 0, 0])
    """
    texts = list(references.values() if isinstance(references, Mapping) else references)
    if not texts:
        raise ScoreError(
            "There are no captions to count document frequencies in.", "Give at least one image."
        )
    if any(isinstance(captions, str) for captions in texts):
        raise ScoreError("The captions of an image are one text.", "Give a list of captions for each image.")
    tokenize = tokenizer_named(tokenizer)[0]
    image = np.repeat(np.arange(len(texts)), [len(captions) for captions in texts])
    ngrams, vocabulary = count_ngrams([tokenize(text) for captions in texts for text in captions], ORDERS)
    return DocumentFrequencies(
        tokenizer,
        len(texts),
        origin,
        {word: number for number, word in enumerate(vocabulary)},
        tuple(counts.start * len(vocabulary) + counts.last for counts in ngrams),
        tuple(images_that_hold(counts, image[counts.caption], counts.ngram) for counts in ngrams),
    )


def images_that_hold(counts: NgramCounts, image: Integers, ngram: Integers) -> Integers:
    """In how many images each n-gram stands, shape (kinds,).

    Args:
        counts: says how many n-grams there are.
        image: the image of each row, shape (rows,).
        ngram: the n-gram of each row, shape (rows,).
    """
    kinds = max(1, counts.kinds)
    pairs = np.sort(image * kinds + ngram)  # np.unique hashes, which takes five times as long
    first = np.diff(pairs, prepend=-1) > 0
    return np.bincount(pairs[first] % kinds, minlength=counts.kinds)[: counts.kinds]


def save(frequencies: DocumentFrequencies, path: str | Path) -> None:
    """Write a file that `load` reads; it appears whole.

    Raises:
        DiskError: the file cannot be written.
    """
    path = Path(path)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "tokenizer": frequencies.tokenizer,
        "images": frequencies.images,
        "origin": frequencies.origin,
        "sha256": frequencies.sha256,
    }
    arrays = {
        "about": _as_bytes(json.dumps(about).encode()),
        "vocabulary": _as_bytes(_written(frequencies.vocabulary)),
    }
    words = max(1, len(frequencies.vocabulary))
    for order, (keys, counts) in enumerate(zip(frequencies.keys, frequencies.counts, strict=True), start=1):
        arrays[f"images_{order}"] = counts.astype("<u4")
        arrays[f"word_{order}"] = (keys % words).astype("<u4")
        if order > 1:
            arrays[f"start_{order}"] = (keys // words).astype("<u4")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(unfinished, path)
    except OSError as error:
        raise DiskError(f"'{path}' cannot be written: {error.strerror}.", "Choose another place.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: str | Path) -> DocumentFrequencies:
    """Read a file that `save` wrote, and check it.

    Raises:
        ScoreError: no such file, another kind of file, or a damaged one.
    """
    path = Path(path)
    if path.suffix in PICKLE_ENDINGS:
        raise ScoreError(
            f"'{path}' is a Python pickle: reading one can run any program that it holds, "
            "and it does not say how its captions were split into words.",
            "Give the captions that it was counted in instead; leyenda counts again in seconds.",
        )
    try:
        arrays = _arrays(path)
    except FileNotFoundError as error:
        raise ScoreError(f"There is no file '{path}'.", "Check the name.") from error
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _unfit(path) from error
    return _checked(path, arrays)


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("no archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


def _checked(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> DocumentFrequencies:
    try:
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT or about["version"] != VERSION:
            raise ValueError("another format")
        words = _read(arrays["vocabulary"].tobytes())
        keys = [arrays["word_1"].astype(np.int64)]
        for order in range(2, ORDERS + 1):
            keys.append(arrays[f"start_{order}"].astype(np.int64) * len(words) + arrays[f"word_{order}"])
        frequencies = DocumentFrequencies(
            about["tokenizer"],
            about["images"],
            f"'{path.name}'",
            {word: number for number, word in enumerate(words)},
            tuple(keys),
            tuple(arrays[f"images_{order}"].astype(np.int64) for order in range(1, ORDERS + 1)),
        )
        expected = about["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(path) from error
    if frequencies.sha256 != expected:
        raise ScoreError(
            f"'{path}' is damaged: its checksum does not fit.", "Make it again from its captions."
        )
    tokenizer_named(frequencies.tokenizer)
    return frequencies


def _unfit(path: Path) -> ScoreError:
    return ScoreError(
        f"'{path}' is no whole file of document frequencies.",
        "Make one from captions, or name a captions source.",
    )


def _written(words: Iterable[str]) -> bytes:
    return "\n".join(words).encode("utf-8", "surrogatepass")  # a caption may hold half a character


def _read(written: bytes) -> list[str]:
    return written.decode("utf-8", "surrogatepass").split("\n") if written else []


def _as_bytes(written: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(written, dtype=np.uint8)
