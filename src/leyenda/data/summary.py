"""A data set in numbers: how many pictures and captions, how long, which words, which sizes."""

from __future__ import annotations

import os
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

from leyenda.data.examples import Examples
from leyenda.data.progress import steps
from leyenda.errors import ImageError
from leyenda.images import PictureHeader, measure_picture
from leyenda.records import ImageSource

FREQUENT_WORDS = 20

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is spread over many things; all zero for none.

    >>> Spread.of([1, 2, 9])
    Spread(min=1, mean=4.0, median=2, max=9)
    """

    min: float
    mean: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread:
        """The spread of some values."""
        if not values:
            return cls(0, 0.0, 0, 0)
        return cls(min(values), statistics.fmean(values), statistics.median(values), max(values))

    def as_json(self) -> dict[str, float]:
        """By name."""
        return {"min": self.min, "mean": round(self.mean, 3), "median": self.median, "max": self.max}


@dataclass(frozen=True, slots=True)
class Summary:
    """What `summarize` counts.

    Args:
        images: number of images.
        captions: number of captions.
        splits: split -> images; empty when the source gives none.
        captions_per_image: number of captions -> number of images with so many.
        words: length of the captions, in words.
        vocabulary: number of different words, capital and small letters taken as one.
        frequent_words: the most frequent words with their counts.
        width: of the upright pictures, in pixels.
        height: of the upright pictures, in pixels.
        formats: picture format -> number of images.
        unreadable: images without a readable header; `leyenda data check` says why.
    """

    images: int
    captions: int
    splits: Mapping[str, int]
    captions_per_image: Mapping[int, int]
    words: Spread
    vocabulary: int
    frequent_words: Mapping[str, int]
    width: Spread
    height: Spread
    formats: Mapping[str, int]
    unreadable: int

    def as_json(self) -> dict[str, Any]:
        """The object that `leyenda data show --json` prints; its keys are the arguments of this class."""
        return {
            "images": self.images,
            "captions": self.captions,
            "splits": dict(self.splits),
            "captions_per_image": {str(count): images for count, images in self.captions_per_image.items()},
            "words": self.words.as_json(),
            "vocabulary": self.vocabulary,
            "frequent_words": dict(self.frequent_words),
            "width": self.width.as_json(),
            "height": self.height.as_json(),
            "formats": dict(self.formats),
            "unreadable": self.unreadable,
        }

    def __str__(self) -> str:
        return "\n".join(f"{name:<20}{value}".rstrip() for name, value in self._lines())

    def _lines(self) -> Iterable[tuple[str, str]]:
        yield "images", f"{self.images:,}"
        yield "captions", f"{self.captions:,}"
        yield "splits", _counted(self.splits) or "none given"
        per_image = (f"{images:,} with {count}" for count, images in self.captions_per_image.items())
        yield "captions per image", ", ".join(per_image)
        yield "words per caption", _spread(self.words)
        yield "different words", f"{self.vocabulary:,}"
        yield "most frequent", ", ".join(f"{word} {count:,}" for word, count in self.frequent_words.items())
        yield "width in pixels", _spread(self.width)
        yield "height in pixels", _spread(self.height)
        yield "picture formats", _counted(self.formats) or "none"
        if self.unreadable:
            yield "unreadable", f"{self.unreadable:,} (leyenda data check says why)"


def summarize(examples: Examples) -> Summary:
    """Count pictures, captions, words and sizes. Of the pictures only the headers are read.

    A word is a run of letters and digits, with apostrophes and hyphens inside it: `don't`, `T-shirt`, `año`.

    Args:
        examples: from any source.
    """
    captions = examples.table.column("captions").to_pylist()
    words = Counter[str]()
    lengths = []
    for caption in chain.from_iterable(captions):
        found = words_of(caption)
        lengths.append(len(found))
        words.update(found)
    headers = _headers(examples)
    readable = [header for header in headers if header is not None]
    return Summary(
        images=len(examples),
        captions=len(lengths),
        splits=examples.splits(),
        captions_per_image=dict(sorted(Counter(map(len, captions)).items())),
        words=Spread.of(lengths),
        vocabulary=len(words),
        frequent_words=dict(words.most_common(FREQUENT_WORDS)),
        width=Spread.of([header.width for header in readable]),
        height=Spread.of([header.height for header in readable]),
        formats=dict(Counter(header.format for header in readable).most_common()),
        unreadable=len(headers) - len(readable),
    )


def words_of(caption: str) -> list[str]:
    """The words of a caption, in small letters.

    >>> words_of("Don't touch the T-shirt, niño!")
    ["don't", 'touch', 'the', 't-shirt', 'niño']
    """
    return _WORD.findall(caption.lower())


def _headers(examples: Examples) -> list[PictureHeader | None]:
    columns = (examples.table.column(name).to_pylist() for name in ("path", "offset", "size"))
    sources = list(map(ImageSource, *columns))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool, steps("Measuring", len(sources)) as step:
        headers = []
        for header in pool.map(_header, sources, chunksize=64):
            step()
            headers.append(header)
        return headers


def _header(source: ImageSource) -> PictureHeader | None:
    try:
        return measure_picture(source)
    except ImageError:
        return None  # counted as unreadable


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _spread(spread: Spread) -> str:
    return f"{spread.min:,g} to {spread.max:,g}, mean {spread.mean:,.1f}, median {spread.median:,g}"
