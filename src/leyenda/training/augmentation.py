"""Other views of a picture, so that few pictures teach more: a random part, mirrored half of the time, in other light.

As everything in the order of training, a view follows from (seed, epoch, id) alone.
"""

from __future__ import annotations

import hashlib
import random

import torch

SMALLEST_SIDE = 0.5
"""Least share of the picture's height and width that a part keeps."""

LIGHT = 0.3
"""Contrast is multiplied by up to so much more or less than 1, and all values are raised or lowered by up to this."""


def view_of_epoch(pixel_values: torch.Tensor, example_id: str, epoch: int, seed: int) -> torch.Tensor:
    """A random view: a part of the picture enlarged to the whole, mirrored half of the time, in other light.

    The light is the same for all three colours, which captions name. Mirroring swaps left and right: do not use it
    where captions tell them apart.

    Args:
        pixel_values: float tensor `[3, height, width]` as models take it, its values about 1 around 0; not changed.
        example_id: the picture.
        epoch: from 0.
        seed: of the run.

    Returns:
        Float tensor `[3, height, width]`.

    >>> picture = torch.arange(192.0).reshape(3, 8, 8)
    >>> view = view_of_epoch(picture, "a.jpg", 0, seed=0)
    >>> view.shape, torch.equal(view, view_of_epoch(picture, "a.jpg", 0, seed=0))
    (torch.Size([3, 8, 8]), True)
    """
    digest = hashlib.blake2b(f"view\0{seed}\0{epoch}\0{example_id}".encode(), digest_size=8).digest()
    chance = random.Random(digest)  # noqa: S311 - not for secrets
    height, width = pixel_values.shape[1:]
    side = chance.uniform(SMALLEST_SIDE, 1)
    rows, columns = max(1, round(height * side)), max(1, round(width * side))
    top, left = chance.randint(0, height - rows), chance.randint(0, width - columns)
    part = pixel_values[None, :, top : top + rows, left : left + columns]
    if chance.random() < 0.5:
        part = part.flip(-1)
    view = torch.nn.functional.interpolate(part, size=(height, width), mode="bilinear", align_corners=False)[
        0
    ]
    mean = view.mean()
    return (view - mean) * chance.uniform(1 - LIGHT, 1 + LIGHT) + mean + chance.uniform(-LIGHT, LIGHT)
