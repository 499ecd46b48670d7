"""What became of one input: a line of the journal, and the line that users see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leyenda.records import Caption, Skipped

LOW_CONFIDENCE = "low_confidence"
"""The reason of a picture whose caption stands in the review list."""


_HIDDEN = (
    *("proposed", "said", "digest", "copied", "kept"),
    *("was", "file", "source", "made", "before"),
)
"""What the journal knows beside what users see."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one input got.

    Args:
        image: the input's name.
        caption: the text that is written for it; None where there is none.
        confidence: of the model's caption, rounded to what is written; None where no model gave it.
        error: why it has no caption.
        proposed: the caption that was not sure enough to be written, and stands in the review list.
        said: the model's own words, where they are not `caption`.
        digest: of the encoded picture, in hexadecimal; empty where it was not read.
        copied: the caption is that of an earlier input that is the same picture.
        kept: the caption was there before, and stays.
        was: the text that this caption replaces; None where there was none.
        file: the file that holds the caption, for outputs of one file a picture.
        source: the picture file, where captions stand in files of pictures or beside them.
        made: that file was not there before.
        before: what else the file said that holds the caption.
    """

    image: str
    caption: str | None = None
    confidence: float | None = None
    error: Skipped | None = None
    proposed: str | None = None
    said: str | None = None
    digest: str = ""
    copied: bool = False
    kept: bool = False
    was: str | None = None
    file: str | None = None
    source: str | None = None
    made: bool = False
    before: Mapping[str, Any] | None = None

    def public(self) -> dict[str, object]:
        """The line that users see: a caption, or a reason.

        >>> Entry("a.jpg", "a dog", 0.5, digest="0f").public()
        {'image': 'a.jpg', 'caption': 'a dog', 'confidence': 0.5}
        """
        if self.error is not None:
            return {"image": self.image, "error": {"code": self.error.code, "message": self.error.message}}
        return {"image": self.image, "caption": self.caption, "confidence": self.confidence}

    def as_json(self) -> dict[str, object]:
        """The journal's line: what users see, and what the journal knows beside it."""
        line = self.public()
        for name in _HIDDEN:
            value = getattr(self, name)
            if value not in (None, "", False) or (name == "was" and value == ""):
                line[name] = value
        if self.error is not None and self.confidence is not None:
            line["confidence"] = self.confidence
        return line

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Entry:
        """The entry of a line, of the journal or of a finished file.

        Raises:
            KeyError, TypeError: it is no such line.
        """
        error = line.get("error")
        known = {name: line[name] for name in ("confidence", *_HIDDEN) if line.get(name) is not None}
        if error is not None:
            return cls(str(line["image"]), error=Skipped(error["code"], error["message"]), **known)
        if not isinstance(line["image"], str) or not isinstance(line["caption"], str):
            raise TypeError("a name and a caption are text")
        return cls(line["image"], line["caption"], **known)

    @property
    def model_caption(self) -> Caption | None:
        """What the model said of this picture, or None where it was not asked."""
        text = self.said or self.proposed or self.caption
        if self.kept or text is None or self.confidence is None:
            return None
        return Caption(text, self.confidence)


def entry_of(name: str, result: Caption | Skipped, *, digest: str = "", copied: bool = False) -> Entry:
    """The entry of what the model, or the attempt to open the picture, gave.

    >>> entry_of("a.jpg", Caption("a dog", 0.12345678)).confidence
    0.123457
    """
    if isinstance(result, Skipped):
        return Entry(name, error=result, digest=digest)
    return Entry(name, result.text, round(result.confidence, 6), digest=digest, copied=copied)
