"""What a kind of picture file has to offer so that an XMP packet can be read from it and put into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from leyenda.errors import ImageError
from leyenda.images.formats import picture_format, what_it_is_instead
from leyenda.metadata.jpeg import JpegFile
from leyenda.metadata.png import PngFile
from leyenda.metadata.tiff import TiffFile
from leyenda.metadata.webp import WebPFile


class Container(Protocol):
    """A parsed picture file. Its constructor raises `Damaged` when the file's structure is broken."""

    data: bytes
    """The file."""

    packet: bytes | None
    """The XMP packet."""

    extended: bytes | None
    """A second packet, for what did not fit into the first (JPEG)."""

    signed: bool
    """Whether it holds content credentials (C2PA), whose signature covers the file's bytes."""

    def payload(self) -> list[bytes]:
        """All that must be the same whatever the packet says: compressed pixels, and all other metadata."""

    def with_packet(self, packet: bytes | None) -> bytes:
        """The file with another packet, or with none. Raises `NoRoom` when it does not fit."""


_CONTAINERS: dict[str, Callable[[bytes], Container]] = {
    "JPEG": JpegFile,
    "PNG": PngFile,
    "TIFF": TiffFile,
    "WebP": WebPFile,
}


def open_container(data: bytes, name: str) -> Container:
    """Parse a picture file of any supported kind, told by its content.

    Raises:
        ImageError: `empty`, `not_an_image`, `no_metadata`, `truncated`, `unreadable`, `metadata`.
    """
    if not data:
        raise ImageError("empty", f"{name} holds no bytes at all.")
    format_name = picture_format(data)
    if format_name is None:
        what = what_it_is_instead(data) or "no picture in a format that leyenda knows"
        raise ImageError("not_an_image", f"{name} is {what}.")
    if format_name not in _CONTAINERS:
        raise ImageError(
            "no_metadata",
            f"{name} is a {format_name} picture, into which leyenda writes no descriptions.",
            f"Only {', '.join(_CONTAINERS)} pictures can hold them; write them beside it (--to sidecar).",
        )
    return _CONTAINERS[format_name](data)
