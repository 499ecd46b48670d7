"""The mark that says which texts a machine wrote, and whether they are still as it wrote them.

IPTC's properties for generated content (`DigitalSourceType`, `AISystemUsed`) speak of the picture, so a described
photograph must not carry them. The description's writer has a property, which IPTC defines for a person's name; it is
given plain words. What programs need to be sure is in leyenda's own namespace, with a digest: once somebody edits a
text, it counts as a person's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leyenda.metadata.namespaces import AI_GENERATED, CAPTION_WRITER, DIGEST, FIELDS, LANGUAGES, MODEL
from leyenda.metadata.xmp_packet import XmpPacket

WRITER_PREFIX = "leyenda (AI-generated)"


@dataclass(frozen=True)
class Mark:
    """Which model wrote which fields of a `Description`, in which languages (the latest last)."""

    model: str | None
    fields: tuple[str, ...]
    languages: tuple[str, ...]


def read_mark(packet: XmpPacket, texts: Mapping[str, str]) -> Mark | None:
    """The mark of a packet; None when there is none, or when a marked text was changed since.

    Args:
        packet: the packet.
        texts: field -> its text in the default language.
    """
    fields = tuple((packet.text(FIELDS) or "").split())
    if packet.text(AI_GENERATED) != "True" or packet.text(DIGEST) != _digest(fields, texts):
        return None
    return Mark(packet.text(MODEL), fields, marked_languages(packet))


def marked_languages(packet: XmpPacket) -> tuple[str, ...]:
    """The languages in which leyenda wrote, whatever became of the texts."""
    return tuple((packet.text(LANGUAGES) or "").split())


def with_mark(packet: XmpPacket, mark: Mark | None, texts: Mapping[str, str]) -> XmpPacket:
    """The packet with the mark for these texts; None takes it out."""
    values = (
        {AI_GENERATED: None, MODEL: None, FIELDS: None, LANGUAGES: None, DIGEST: None}
        if mark is None
        else {
            AI_GENERATED: "True",
            MODEL: mark.model or None,
            FIELDS: " ".join(mark.fields),
            LANGUAGES: " ".join(mark.languages) or None,
            DIGEST: _digest(mark.fields, texts),
        }
    )
    for name, value in values.items():
        packet = packet.with_text(name, value)
    return packet


def writer_words(model: str | None) -> str:
    """What `photoshop:CaptionWriter` says of a machine.

    >>> writer_words("microsoft/git-base-coco")
    'leyenda (AI-generated): microsoft/git-base-coco'
    """
    return f"{WRITER_PREFIX}: {model}" if model else WRITER_PREFIX


def read_writer(packet: XmpPacket) -> str | None:
    """What `photoshop:CaptionWriter` says."""
    return packet.text(CAPTION_WRITER)


def wrote_it(packet: XmpPacket) -> bool:
    """Whether `photoshop:CaptionWriter` names leyenda."""
    return (read_writer(packet) or "").startswith(WRITER_PREFIX)


def _digest(fields: Iterable[str], texts: Mapping[str, str]) -> str:
    said = "\0".join(f"{field}\0{texts.get(field, '')}" for field in fields)
    return hashlib.sha256(said.encode()).hexdigest()
