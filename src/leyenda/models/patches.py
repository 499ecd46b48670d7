"""Patches of a picture, cut out so that what a convolution makes of them is one matrix product."""

from __future__ import annotations

import torch
from torch import nn


def are_side_by_side(convolution: nn.Conv2d) -> bool:
    """Whether a convolution's patches cover a picture once, so that it is a product."""
    no_gaps = convolution.stride == convolution.kernel_size and set(convolution.padding) == {0}
    return no_gaps and convolution.dilation == (1, 1) and convolution.groups == 1


def cut(pixels: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """Each patch in a row of its own, colour by colour, as a convolution's weights lie.

    Args:
        pixels: `[pictures, channels, height, width]`; what is left over at the right and below is cut off.
        size: height and width of a patch.

    Returns:
        `[pictures, rows, columns, channels x height x width of a patch]`.

    >>> cut(torch.arange(8.0).view(1, 1, 2, 4), (2, 2))[0, 0].tolist()
    [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    high, wide = size
    pictures, channels, height, width = pixels.shape
    rows, columns = height // high, width // wide
    whole = pixels[..., : rows * high, : columns * wide]
    patches = whole.reshape(pictures, channels, rows, high, columns, wide)
    return patches.permute(0, 2, 4, 1, 3, 5).flatten(3)
