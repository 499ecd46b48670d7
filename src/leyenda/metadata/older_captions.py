"""Captions in the places that were used before XMP: IPTC-IIM and Exif.

leyenda leaves them as they are, but programs show the XMP description first once there is one. Who must not put a
machine's words before a person's asks for them first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from PIL import IptcImagePlugin

from leyenda.images.decoding import read_header
from leyenda.images.quiet import quiet_pillow

_CODED_CHARACTER_SET, _CAPTION = (1, 90), (2, 120)
_UTF_8 = b"\x1b%G"
_IMAGE_DESCRIPTION, _MAKE, _MODEL = 270, 271, 272

_WORDS_OF_CAMERAS = frozenset(
    ("camera", "corporation", "digital", "dsc", "exif", "image", "jpeg", "picture", "still")
)
"""With its own name, what a camera writes into each picture's `ImageDescription` (`OLYMPUS DIGITAL CAMERA`)."""


def read_older_captions(data: bytes, *, name: str = "The picture") -> dict[str, str]:
    """Read the captions that stand outside XMP.

    Args:
        data: a picture file's bytes.
        name: what messages call it.

    Returns:
        `iptc` (IPTC-IIM 2:120, which people and agencies fill in) and `exif` (Exif `ImageDescription`, which many
        cameras fill with their own name), as far as they are there and not blank.

    Raises:
        ImageError: `empty`, `not_an_image`, `truncated`, `unreadable`, as far as the header shows it.
    """
    records, tags = _read(data, name)
    found = {"iptc": _iptc_caption(records), "exif": _text(tags.get(_IMAGE_DESCRIPTION))}
    return {place: text for place, text in found.items() if text}


def caption_before_xmp(data: bytes, *, name: str = "The picture") -> str | None:
    """The caption that stands outside XMP: the one in IPTC-IIM, or else in Exif, unless a camera wrote it.

    Raises:
        ImageError: as `read_older_captions`.
    """
    records, tags = _read(data, name)
    if caption := _iptc_caption(records):
        return caption
    caption = _text(tags.get(_IMAGE_DESCRIPTION))
    words = _words(caption)
    of_camera = _WORDS_OF_CAMERAS | _words(_text(tags.get(_MAKE))) | _words(_text(tags.get(_MODEL)))
    return None if not caption or (words and words <= of_camera) else caption


def _read(
    data: bytes, name: str
) -> tuple[Mapping[tuple[int, int], bytes | list[bytes]], Mapping[int, object]]:
    """The records of IPTC-IIM and the tags of Exif."""
    _, picture = read_header(data, name)
    try:
        with quiet_pillow:
            return IptcImagePlugin.getiptcinfo(picture) or {}, dict(picture.getexif())
    except Exception:
        return {}, {}  # damaged metadata says nothing to other programs either


def _text(value: object) -> str:
    return str(value or "").strip("\0 \r\n\t")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _iptc_caption(records: Mapping[tuple[int, int], bytes | list[bytes]]) -> str:
    caption, character_set = (_first(records.get(key, b"")) for key in (_CAPTION, _CODED_CHARACTER_SET))
    try:
        return caption.decode().strip()
    except UnicodeDecodeError:
        # Without a character set, programs have written what their system used; on most that was this one.
        return caption.decode("utf-8" if character_set == _UTF_8 else "cp1252", errors="replace").strip()


def _first(value: bytes | list[bytes]) -> bytes:
    return value[0] if isinstance(value, list) else value
