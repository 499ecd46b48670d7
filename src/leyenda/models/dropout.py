"""Dropout whose chance costs less: on a CPU torch draws one number after the other, a tenth of a training step.

Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

_FACES = 1 << 16
"""The shares that can be told apart: an element is kept or dropped by 16 random bits."""


def drop(states: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of the elements to zero at random and scale the others up, so that the mean stays.

    The chance follows from torch's own generator, so that a seed, or a state put back, gives the same again.

    Args:
        states: float tensor of any shape.
        share: of elements that become zero, in [0, 1]; on a CPU it is rounded to a 65,536th.

    Returns:
        A tensor of this shape and number format.

    >>> torch.equal(drop(torch.ones(3), 0.0), torch.ones(3))
    True
    """
    if share <= 0.0:
        return states
    if states.device.type != "cpu" or share >= 1.0:
        return functional.dropout(states, share)
    dropped: torch.Tensor = _Drop.apply(states, share)  # type: ignore[no-untyped-call]
    return dropped


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, share: float) -> torch.Tensor:
        kept = _kept(states.shape, round(share * _FACES)).to(states.dtype).mul_(1 / (1 - share))
        ctx.save_for_backward(kept)
        return states * kept

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (kept,) = ctx.saved_tensors
        return gradient * kept, None


def _kept(shape: torch.Size, dropped_faces: int) -> torch.Tensor:
    """Bool tensor of this shape: whether the element stays."""
    seed = int(torch.randint(1 << 62, ()))
    words = -(-shape.numel() // 4)  # a random word of 64 bits decides on four elements
    bits = torch.from_numpy(np.random.SFC64(seed).random_raw(words).view(np.int16))
    return bits[: shape.numel()].view(shape) >= dropped_faces - _FACES // 2
