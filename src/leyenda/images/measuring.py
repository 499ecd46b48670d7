"""A picture's size and format from its header, without decoding a pixel."""

from __future__ import annotations

from typing import NamedTuple

from leyenda.errors import ImageError
from leyenda.images.decoding import read_header
from leyenda.images.opening import DEFAULT_MAX_PIXELS, read_bytes
from leyenda.images.rgb import orientation
from leyenda.records import ImageSource

_HEAD = 1 << 16
"""Most headers end within this many bytes; the rest are read whole."""


class PictureHeader(NamedTuple):
    """What a header says: the format's name, and width and height in pixels of the upright picture."""

    format: str
    width: int
    height: int


def measure_picture(source: ImageSource) -> PictureHeader:
    """Read a picture's header only. That the pixels can be decoded is not checked.

    Raises:
        ImageError: as `open_picture`, for what shows in the header.
    """
    limit = DEFAULT_MAX_PIXELS * 16
    data, name = read_bytes(source, max_bytes=limit, first=_HEAD)
    try:
        return _header(data, name)
    except ImageError:
        if len(data) < _HEAD:
            raise
    # The header is longer than that, or stands at the end (TIFF): the whole picture decides.
    data, name = read_bytes(source, max_bytes=limit)
    return _header(data, name)


def _header(data: bytes, name: str) -> PictureHeader:
    format_name, picture = read_header(data, name)
    width, height = picture.size
    if orientation(picture) >= 5:
        width, height = height, width
    return PictureHeader(format_name, width, height)
