"""Whether the bytes of a picture stop before the picture does, by what each format says of its own length.

Decoders report a missing end in many words, and damage in the middle sometimes in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal


def ends_early(data: bytes, format_name: str, error: BaseException) -> bool:
    """Whether a picture that cannot be decoded is cut short.

    Args:
        data: the encoded picture.
        format_name: a key of `leyenda.images.formats.DECODERS`.
        error: what the decoder raised.

    >>> ends_early(b"GIF89a" + bytes(20), "GIF", ValueError())
    True
    >>> ends_early(b"GIF89a" + bytes(20) + b";", "GIF", ValueError())
    False
    """
    if format_name in _ENDS_EARLY:
        return _ENDS_EARLY[format_name](data)
    words = str(error).lower()
    said = isinstance(error, EOFError) or any(hint in words for hint in ("truncated", "not enough", "eof"))
    return said or (format_name == "TIFF" and _tiff_directory_is_missing(data))


def _png(data: bytes) -> bool:
    return b"IEND" not in data[-64:]


def _jpeg(data: bytes) -> bool:
    return b"\xff\xd9" not in data[-64:]


def _jpeg2000(data: bytes) -> bool:
    return b"\xff\xd9" not in data[-64:]


def _gif(data: bytes) -> bool:
    return not data.rstrip(b"\0").endswith(b";")


def _webp(data: bytes) -> bool:
    return len(data) < 8 + int.from_bytes(data[4:8], "little")


def _bmp(data: bytes) -> bool:
    return len(data) < max(26, int.from_bytes(data[2:6], "little"))


def _avif(data: bytes) -> bool:
    position = 0
    while 0 <= position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        if size == 0:  # up to the end of the file
            return False
        # A size of 1 says that a 64-bit size follows the name; less than 8 is damage.
        size = int.from_bytes(data[position + 8 : position + 16], "big") if size == 1 else size
        if size < 8:
            return False
        position += size
    return position > len(data)


def _tiff_directory_is_missing(data: bytes) -> bool:
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    big_tiff = b"+" in data[2:4]
    return int.from_bytes(data[8:16] if big_tiff else data[4:8], order) >= len(data)


_ENDS_EARLY: dict[str, Callable[[bytes], bool]] = {
    "AVIF": _avif,
    "BMP": _bmp,
    "GIF": _gif,
    "JPEG": _jpeg,
    "JPEG 2000": _jpeg2000,
    "PNG": _png,
    "WebP": _webp,
}
