"""A picture, small enough to travel inside a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from leyenda.records import ImageSource

LONGEST_SIDE = 320
"""Pixels of a thumbnail's longer side."""

_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG as a `data:` address, with its size in pixels."""

    address: str
    width: int
    height: int


def thumbnail(source: ImageSource) -> Thumbnail:
    """Open a picture and make it small.

    Args:
        source: where it lies.

    Raises:
        ImageError: the picture cannot be used.
    """
    from leyenda.images import open_picture

    picture = open_picture(source)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/jpeg;base64,{encoded}", *picture.size)
