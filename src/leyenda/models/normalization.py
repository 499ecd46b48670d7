"""Bytes of resized pictures become the numbers that a model takes, where the model is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def normalized(pixels: torch.Tensor, table: NDArray[np.float32]) -> torch.Tensor:
    """Look up each byte of each colour.

    Args:
        pixels: uint8 tensor `[batch, 3, height, width]`, on any device.
        table: float32 array `[3, 256]`, as `leyenda.images.preparation.Preparation.table` makes it.

    Returns:
        Float32 tensor of the shape and on the device of `pixels`.

    >>> rows = np.arange(768, dtype=np.float32).reshape(3, 256)
    >>> normalized(torch.full((1, 3, 1, 1), 2, dtype=torch.uint8), rows).flatten()
    tensor([  2., 258., 514.])
    """
    if pixels.device.type == "cpu":  # NumPy looks up by bytes; torch would first make them four times as wide
        values = np.empty(pixels.shape, dtype=np.float32)
        for colour, row in enumerate(table):
            values[:, colour] = row.take(pixels[:, colour].numpy())
        return torch.from_numpy(values)
    rows = torch.from_numpy(table).to(pixels.device)
    return torch.stack([row[pixels[:, colour].int()] for colour, row in enumerate(rows)], dim=1)
