"""Large JPEGs decoded at a half, a quarter or an eighth of their size, as the JPEG transform itself allows.

A JPEG holds blocks of 8 x 8 pixels as cosine waves; leaving out the fast waves gives the block in 4 x 4, 2 x 2 or
1 x 1 pixels, and most of the decoder's work is not done. Where the size is no multiple of 8, the last row and column
of the small picture stand for blocks that the picture fills in part only; `Extent` says how far it reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image
from PIL.ImageFile import ImageFile

AtLeast: TypeAlias = int | tuple[int, int]
"""Pixels that a decoded picture must keep: of its shorter side, or (width, height) of the upright picture."""

_SCALES = (8, 4, 2)

_EXTENT = "leyenda_extent"


@dataclass(frozen=True, slots=True)
class Extent:
    """The picture that some pixels stand for.

    Args:
        width: of the picture as the file holds it, in pixels.
        height: likewise.
        box: left, upper, right and lower edge of that picture in the decoded pixels; whole numbers where it was
            decoded exactly.
    """

    width: int
    height: int
    box: tuple[float, float, float, float]

    def turned(self, orientation: int) -> Extent:
        """The extent after the turn that EXIF orientation (1 to 8) asks for.

        >>> Extent(17, 8, (0, 0, 2.125, 1)).turned(6)
        Extent(width=8, height=17, box=(0, 0, 1, 2.125))
        >>> Extent(17, 8, (0, 0, 2.125, 1)).turned(3)
        Extent(width=17, height=8, box=(0.875, 0, 3.0, 1))
        """
        width, height, (_, _, right, lower) = self.width, self.height, self.box
        if orientation >= 5:
            width, height, right, lower = height, width, lower, right
        left = math.ceil(right) - right if orientation in (2, 3, 6, 7) else 0
        upper = math.ceil(lower) - lower if orientation in (3, 4, 7, 8) else 0
        return Extent(width, height, (left, upper, right + left, lower + upper))


def extent_of(picture: Image.Image) -> Extent:
    """What a picture of `leyenda.images.open_picture` stands for; any other stands for itself."""
    extent = picture.info.get(_EXTENT)
    if isinstance(extent, Extent) and picture.size == (math.ceil(extent.box[2]), math.ceil(extent.box[3])):
        return extent
    return Extent(*picture.size, (0, 0, *picture.size))


def keep_extent(picture: Image.Image, extent: Extent) -> None:
    """Note on a picture what it stands for."""
    picture.info[_EXTENT] = extent


def reduce_scale(picture: ImageFile, at_least: AtLeast, *, lying: bool) -> None:
    """Have a JPEG decoded at the smallest scale that keeps enough pixels.

    Args:
        picture: Pillow's lazy picture of a JPEG, not loaded yet.
        at_least: pixels to keep.
        lying: whether the file holds the picture turned by a quarter.
    """
    width, height = picture.size
    least = (at_least, at_least) if isinstance(at_least, int) else at_least
    if lying:
        least = least[::-1]
    scale = next((s for s in _SCALES if width // s >= least[0] and height // s >= least[1]), 1)
    if scale == 1:
        return
    drafted = picture.draft(None, (width // scale, height // scale))
    if drafted is not None:
        keep_extent(picture, Extent(width, height, drafted[1]))
