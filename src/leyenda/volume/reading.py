"""An input is read or fetched and its picture opened; what is wrong with it becomes a reason. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from leyenda.errors import CaptionError, ImageError
from leyenda.images import fetch
from leyenda.images.fetching import without_secrets
from leyenda.images.opening import read_picture
from leyenda.records import PictureBytes, PictureRow, Skipped
from leyenda.volume.item import Item
from leyenda.volume.sameness import picture_digest
from leyenda.volume.window import Ready

Opened = TypeVar("Opened")


def read_and_open(
    item: Item, opened: Callable[[PictureRow], tuple[Opened, str]], max_pixels: int, *, same_by: str
) -> Ready[Opened]:
    """Read an input, and open its picture.

    Args:
        item: the input.
        opened: from the encoded picture and its columns to what the model takes, and the prompt.
        max_pixels: as for `read_item`.
        same_by: what counts as the same picture, as of `picture_digest`; empty where pictures are not compared.

    Returns:
        The picture, or why it cannot be used.
    """
    same, fetched = "", None
    try:
        encoded, fetched = read_item(item, max_pixels)
        picture, prompt = opened(PictureRow(encoded, item.columns))
        if same_by:
            same = picture_digest(encoded, prompt, same_by, max_pixels)
        return Ready(picture, None, same, fetched)
    except (ImageError, CaptionError) as error:
        return Ready(None, Skipped(error.code, str(error)), same, fetched)


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
    if item.address is not None:
        data = fetch(item.address)
        return PictureBytes(data, without_secrets(item.address)), data
    return read_picture(item.source, max_pixels=max_pixels), None
