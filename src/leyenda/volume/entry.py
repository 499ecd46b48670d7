"""What became of one input: a line of the journal, and the line that users see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leyenda.records import Caption, Skipped

LOW_CONFIDENCE = "low_confidence"
"""The reason of a picture whose caption stands in the review list."""


_PUBLIC = ("image", "caption", "confidence", "error")
"""What users see of each input, beside what they wrote there themselves."""

_HIDDEN = (
    *("proposed", "proposed_confidence", "said", "digest", "copied", "kept"),
    *("was", "file", "source", "made", "before", "others"),
)
"""What the journal knows beside what users see."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one input got.

    Args:
        image: the input's name.
        caption: the text that is written for it; None where there is none.
        confidence: of the caption, rounded to what is written; None where no model gave it.
        error: why the model gave it none. A caption that was there before stays all the same.
        proposed: what the model said and is not written: it was not sure enough, and stands in the review list, or it
            was there already.
        proposed_confidence: of that.
        said: the model's own words, where they are not `caption`.
        digest: of the encoded picture, in hexadecimal; empty where it was not read.
        copied: the caption is that of an earlier input that is the same picture.
        kept: the caption was there before, and stays.
        was: the text that this caption replaces; None where there was none.
        file: the file that holds the caption, for outputs of one file a picture.
        source: the picture file, where captions stand in files of pictures or beside them.
        made: that file was not there before.
        before: what else the file said that holds the caption.
        others: what else the line says that holds the caption: fields that a user added.
    """

    image: str
    caption: str | None = None
    confidence: float | None = None
    error: Skipped | None = None
    proposed: str | None = None
    proposed_confidence: float | None = None
    said: str | None = None
    digest: str = ""
    copied: bool = False
    kept: bool = False
    was: str | None = None
    file: str | None = None
    source: str | None = None
    made: bool = False
    before: Mapping[str, Any] | None = None
    others: Mapping[str, Any] | None = None

    @property
    def reason(self) -> Skipped | None:
        """Why users see no caption; None where they see one."""
        return self.error if self.caption is None else None

    def public(self) -> dict[str, object]:
        """The line that users see: a caption, or a reason, and what they added to it.

        >>> Entry("a.jpg", "a dog", 0.5, digest="0f", others={"tags": ["dog"]}).public()
        {'image': 'a.jpg', 'caption': 'a dog', 'confidence': 0.5, 'tags': ['dog']}
        """
        return self._told() | dict(self.others or {})

    def _told(self) -> dict[str, object]:
        """What leyenda says of the input."""
        if self.reason is not None:
            return {"image": self.image, "error": _as_json(self.reason)}
        return {"image": self.image, "caption": self.caption, "confidence": self.confidence}

    def as_json(self) -> dict[str, object]:
        """The journal's line: what users see, and what the journal knows beside it."""
        line = self._told()
        for name in _HIDDEN:
            value = getattr(self, name)
            if value not in (None, "", False) or (name == "was" and value == ""):
                line[name] = value
        if self.error is not None:
            line["error"] = _as_json(self.error)
        return line

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Entry:
        """The entry of a journal's line.

        Raises:
            KeyError, TypeError: it is no such line.
        """
        known = {name: line[name] for name in ("confidence", *_HIDDEN) if line.get(name) is not None}
        if (error := line.get("error")) is not None:
            reason = Skipped(error["code"], error["message"])
            return cls(str(line["image"]), line.get("caption"), error=reason, **known)
        if not isinstance(line["image"], str) or not isinstance(line["caption"], str):
            raise TypeError("a name and a caption are text")
        return cls(line["image"], line["caption"], **known)

    @classmethod
    def from_public(cls, line: Mapping[str, Any]) -> Entry:
        """The entry of a line of a finished file; what a user added to it, under any name, stays with it.

        A caption that a user wrote where there was a reason takes its place.

        Raises:
            KeyError, TypeError: it is no such line.
        """
        others = {name: value for name, value in line.items() if name not in _PUBLIC}
        told = {name: line[name] for name in _PUBLIC if name in line}
        if told.get("error") is not None:
            told.pop("error" if str(told.get("caption") or "").strip() else "caption", None)
        return replace(cls.from_json(told), others=others or None)

    @property
    def model_caption(self) -> Caption | None:
        """What the model said of this picture, or None where it was not asked, or had no answer."""
        if self.proposed is not None and self.proposed_confidence is not None:
            return Caption(self.proposed, self.proposed_confidence)
        text = self.said or self.caption
        if self.kept or self.error is not None or text is None or self.confidence is None:
            return None
        return Caption(text, self.confidence)


def _as_json(reason: Skipped) -> dict[str, str]:
    return {"code": reason.code, "message": reason.message}


def entry_of(name: str, result: Caption | Skipped, *, digest: str = "", copied: bool = False) -> Entry:
    """The entry of what the model, or the attempt to open the picture, gave.

    >>> entry_of("a.jpg", Caption("a dog", 0.12345678)).confidence
    0.123457
    """
    if isinstance(result, Skipped):
        return Entry(name, error=result, digest=digest)
    return Entry(name, result.text, round(result.confidence, 6), digest=digest, copied=copied)
