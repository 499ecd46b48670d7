"""The things that travel between the parts of leyenda: pictures, examples, captions, scores.

Only the standard library is imported here, so that every other part can import this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from leyenda.metrics.calibration import Calibration
    from leyenda.metrics.caption_statistics import CaptionStatistics


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where one encoded picture (JPEG, PNG, ...) lies: a run of bytes in a file.

    A picture file, a member of a tar shard and a value of an Arrow column are all this; nothing is decoded here.

    Args:
        path: the file; empty when a row of the data names no picture.
        offset: first byte of the picture in the file.
        size: number of bytes, or None up to the end of the file.
    """

    path: str
    offset: int = 0
    size: int | None = None

    def read(self) -> bytes:
        """The encoded bytes.

        Raises:
            OSError: the file cannot be opened or read.
        """
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read() if self.size is None else file.read(self.size)


@dataclass(frozen=True, slots=True)
class PictureBytes:
    """One encoded picture in memory.

    Args:
        data: the bytes.
        name: what messages call it.
    """

    data: bytes = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in the user's data that a record came from, for messages: file, and line or row from 1 (0: none)."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Example:
    """One image with all its captions.

    Args:
        id: the picture's name as its source writes it, unique in the source (`1000268201.jpg`, `birds/a.png`).
        image: where the picture lies. Not part of equality: the same picture may lie in a folder or in a tar shard;
            compare `fingerprint()` to include the bytes.
        captions: every caption, in the order of the source, without surrounding white space.
        split: `train`, `validation`, `test` or another name that the source gives; None before splitting.
        origin: where the (first) caption stands, for messages.

    >>> Example("a.jpg", ImageSource("in/a.jpg"), ("a dog",)) == Example("a.jpg", ImageSource("b.tar", 512), ("a dog",))
    True
    """

    id: str
    image: ImageSource = field(compare=False)
    captions: tuple[str, ...]
    split: str | None = None
    origin: Origin = field(default=Origin(), compare=False)

    def fingerprint(self) -> str:
        """SHA-256 over id, split, captions and the picture's encoded bytes, in hexadecimal."""
        digest = hashlib.sha256()
        for part in (self.id, self.split or "", *self.captions):
            digest.update(part.encode() + b"\0")
        digest.update(self.image.read())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Caption:
    """What a model says about a picture.

    Args:
        text: the caption.
        confidence: geometric mean of the probabilities that the model gave the caption's tokens, in [0, 1].
        model: the checkpoint it came from.
        token_ids: the generated token ids, without padding, with the end token when one was generated.
    """

    text: str
    confidence: float
    model: str = field(default="", compare=False)
    token_ids: tuple[int, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture to caption with what a table says of it, for prompts with the names of columns.

    Args:
        picture: as `leyenda.Captioner` takes it.
        columns: name to value.
    """

    picture: Any
    columns: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that got no caption, with its reason.

    Args:
        code: machine-readable reason (`leyenda.errors.ImageError.codes`, or another error's `code`).
        message: the reason in words.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """One line of a predictions file: a picture, what was generated for it, and what people said about it."""

    id: str
    caption: str
    confidence: float | None = None
    references: tuple[str, ...] = ()
    image: ImageSource | None = field(default=None, compare=False)


Interval = tuple[float, float]
"""A score's lower and upper bound."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals and p-values are computed; the same numbers give the same results.

    Args:
        resamples: how often the images are drawn anew for an interval.
        permutations: how often captions are swapped for a p-value.
        seed: of both.
    """

    level: ClassVar[float] = 0.95
    method: ClassVar[str] = "BCa bootstrap over images"

    resamples: int = 2000
    permutations: int = 9999
    seed: int = 0

    def as_json(self) -> dict[str, object]:
        """What stands beside intervals in JSON."""
        return {"method": self.method, "level": self.level, "resamples": self.resamples, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a set of captions against their references.

    Args:
        values: metric name -> score over all images.
        per_image: metric name -> image id -> score of that image alone (metrics that have one).
        normalization: metric name -> how the text was prepared before it was compared, in words.
        images: how many images were scored.
        intervals: metric name -> 95% interval over images; without those metrics that have none, and empty when none
            were asked for.
        resampling: how the intervals were computed.
    """

    values: Mapping[str, float]
    per_image: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    normalization: Mapping[str, str] = field(default_factory=dict, repr=False)
    images: int = 0
    intervals: Mapping[str, Interval] = field(default_factory=dict, repr=False)
    resampling: Resampling | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HumanScores:
    """What one person's caption scores against the other people's, and the model's beside it.

    Each person's caption is compared with those of the others, so one reference less than there is; more references
    give higher scores, and therefore the model is scored against the very same ones here.

    Args:
        people: one person against the others; the mean over the rounds.
        model: the model against the same others.
        rounds: how many captions of an image took their turn at most.
    """

    people: Scores
    model: Scores
    rounds: int

    def as_json(self) -> dict[str, object]:
        """Its part of what `leyenda evaluate --json` prints."""
        return {
            "images": self.people.images,
            "rounds": self.rounds,
            "metrics": dict(self.people.values),
            "model": dict(self.model.values),
        }


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Everything that `leyenda evaluate` found out, for JSON, predictions files and reports alike.

    Args:
        model: the checkpoint's name or folder.
        scores: of the generated captions.
        controls: name of a control (`constant`, `shuffled`) -> its scores on the same images.
        constant_caption: the caption behind the `constant` control.
        predictions: one per scored image, in the order of the source.
        skipped: image id -> why it could not be scored.
        human: the human control, over the images that have several captions; None without any.
        statistics: `model`: what the generated captions are like; `people`: the same of the first reference of each
            image, so that as many captions are described.
        calibration: whether the captions' confidences mean anything; None without confidences.
    """

    model: str
    scores: Scores
    controls: Mapping[str, Scores]
    constant_caption: str
    predictions: tuple[Prediction, ...]
    skipped: Mapping[str, Skipped] = field(default_factory=dict)
    human: HumanScores | None = None
    statistics: Mapping[str, CaptionStatistics] = field(default_factory=dict)
    calibration: Calibration | None = None

    def as_json(self) -> dict[str, object]:
        """The object that `leyenda evaluate --json` prints."""
        return {
            "model": self.model,
            "images": self.scores.images,
            "skipped": len(self.skipped),
            "metrics": dict(self.scores.values),
            "intervals": {name: list(bounds) for name, bounds in self.scores.intervals.items()},
            "resampling": self.scores.resampling.as_json() if self.scores.resampling else None,
            "normalization": dict(self.scores.normalization),
            "controls": {
                name: dict(scores.values) | ({"caption": self.constant_caption} if name == "constant" else {})
                for name, scores in self.controls.items()
            },
            "human": self.human.as_json() if self.human else None,
            "statistics": {whose: each.as_json() for whose, each in self.statistics.items()},
            "calibration": self.calibration.as_json() if self.calibration else None,
        }
