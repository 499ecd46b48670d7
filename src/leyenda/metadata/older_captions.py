"""Captions in the places that were used before XMP: IPTC-IIM and Exif.

leyenda leaves them as they are, but programs show the XMP description first once there is one. Who must not put a
machine's words before a person's asks for them first.
"""

from __future__ import annotations

from collections.abc import Mapping

from PIL import IptcImagePlugin

from leyenda.images.decoding import read_header
from leyenda.images.quiet import quiet_pillow

_CODED_CHARACTER_SET, _CAPTION = (1, 90), (2, 120)
_UTF_8 = b"\x1b%G"
_IMAGE_DESCRIPTION = 270


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
    _, picture = read_header(data, name)
    try:
        with quiet_pillow:
            records = IptcImagePlugin.getiptcinfo(picture) or {}
            description = picture.getexif().get(_IMAGE_DESCRIPTION)
    except Exception:
        return {}  # damaged metadata says nothing to other programs either
    found = {"iptc": _iptc_caption(records), "exif": str(description or "").strip("\0 \r\n\t")}
    return {place: text for place, text in found.items() if text}


def _iptc_caption(records: Mapping[tuple[int, int], bytes | list[bytes]]) -> str:
    caption, character_set = (_first(records.get(key, b"")) for key in (_CAPTION, _CODED_CHARACTER_SET))
    try:
        return caption.decode().strip()
    except UnicodeDecodeError:
        # Without a character set, programs have written what their system used; on most that was this one.
        return caption.decode("utf-8" if character_set == _UTF_8 else "cp1252", errors="replace").strip()


def _first(value: bytes | list[bytes]) -> bytes:
    return value[0] if isinstance(value, list) else value
