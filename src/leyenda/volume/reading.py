"""An input is read or fetched and its picture opened; what is wrong with it becomes a reason. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from leyenda.errors import ImageError
from leyenda.images import fetch
from leyenda.images.fetching import without_secrets
from leyenda.images.opening import read_picture
from leyenda.records import PictureBytes, Skipped
from leyenda.volume.item import Item, is_address
from leyenda.volume.window import Prepared

Opened = TypeVar("Opened")


def read_and_open(
    item: Item, open_picture: Callable[[PictureBytes], Opened], max_pixels: int, *, digest: bool
) -> Prepared[Opened]:
    """Read an input, and open its picture.

    Args:
        item: the input.
        open_picture: from the encoded picture to what the model takes.
        max_pixels: as for `read_item`.
        digest: whether the picture will be compared with others.

    Returns:
        The picture, or why it cannot be used.
    """
    same, fetched = "", None
    try:
        picture, fetched = read_item(item, max_pixels)
        if digest:
            same = picture_digest(picture.data)
        return Prepared(open_picture(picture), None, same, fetched)
    except ImageError as error:
        return Prepared(None, Skipped(error.code, str(error)), same, fetched)


def read_item(item: Item, max_pixels: int) -> tuple[PictureBytes, bytes | None]:
    """The encoded picture of an input.

    Args:
        item: the input.
        max_pixels: a file that is larger than any picture of so many pixels is not read.

    Returns:
        The picture, and its bytes once more where they were fetched over the network.

    Raises:
        ImageError: it cannot be read or fetched.
    """
    if isinstance(item.source, str) and is_address(item.source):
        data = fetch(item.source)
        return PictureBytes(data, without_secrets(item.source)), data
    return read_picture(item.source, max_pixels=max_pixels), None


def picture_digest(data: bytes) -> str:
    """What the same bytes have in common: 128 bits of SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:32]
