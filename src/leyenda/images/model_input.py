"""From any source of a picture to the pixels that a checkpoint takes.

Needs no weights; and no torch, but for checkpoints whose preparation is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leyenda.errors import ImageError
from leyenda.images.opening import DEFAULT_MAX_PIXELS, PictureLike, open_picture
from leyenda.images.preparation import Preparation
from leyenda.images.reduced_scale import extent_of

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]

_LONGEST_TO_SHORTEST = 200
"""Sides of a picture. Its shorter side is made as long as the model's input, so a line of 1 x 100,000 pixels
would take gigabytes before it is cropped."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What is done to a picture before a checkpoint sees it. It can be sent to another process.

    Args:
        preparation: our own way to do it; None where the checkpoint has settings that ours does not know.
        image_processor: the checkpoint's way, where `preparation` is None.
    """

    preparation: Preparation | None
    image_processor: Any = None

    def open(
        self, source: PictureLike, *, max_pixels: int = DEFAULT_MAX_PIXELS, exact_decode: bool = False
    ) -> Pixels:
        """One picture, from its file to what the model takes.

        Args:
            source: as for `leyenda.images.open_picture`.
            max_pixels: most pixels (width x height) to decode.
            exact_decode: decode every pixel of a large JPEG, instead of at a smaller scale that keeps twice what the
                model sees.

        Returns:
            Array `[3, height, width]`: uint8 wherever the preparation is known, which takes a quarter of the memory,
            float32 otherwise.

        Raises:
            ImageError: the picture cannot be used.
        """
        at_least = None if exact_decode or self.preparation is None else self.preparation.at_least
        return self.prepare(open_picture(source, max_pixels=max_pixels, at_least=at_least))

    def prepare(self, picture: Image.Image) -> Pixels:
        """A picture that is open: upright, of mode RGB and any size.

        Returns:
            As for `open`.

        Raises:
            ImageError: it is so long and thin that it cannot be resized.
        """
        check_shape(picture)
        if self.preparation is not None:
            return self.preparation.resized(picture)
        pixel_values = self.image_processor(images=[picture], return_tensors="pt")["pixel_values"]
        return np.asarray(pixel_values[0], dtype=np.float32)


def check_shape(picture: Image.Image) -> None:
    """See that a picture can be resized to what a model looks at.

    Raises:
        ImageError: it is far longer than it is wide, or the other way round.
    """
    seen = extent_of(picture)
    if max(seen.width, seen.height) > _LONGEST_TO_SHORTEST * min(seen.width, seen.height):
        raise ImageError(
            "unreadable",
            f"A picture of {seen.width} x {seen.height} pixels is too long and thin to caption.",
            "Cut a piece out of it.",
        )
