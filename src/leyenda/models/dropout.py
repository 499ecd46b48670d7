"""Dropout whose chance costs less: on a CPU torch draws one number after the other, a tenth of a training step.

Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from leyenda.kernels.chance import Chance
from leyenda.kernels.states import can_pass, dropped

_FACES = 1 << 15
"""The shares that can be told apart: an element is kept or dropped by 15 random bits."""

_WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""By bytes of an element, the whole numbers whose bits stand for its own."""


_OF_THREAD = threading.local()


@contextlib.contextmanager
def chance_of_its_own(seed: int) -> Iterator[None]:
    """In this thread and block, `drop` on a CPU draws from a generator that no other thread draws from.

    Torch's own is everybody's: what each of several threads gets from it depends on which of them comes first.

    Args:
        seed: from 0 to less than 2 ** 63.

    >>> with chance_of_its_own(1):
    ...     first = drop(torch.ones(64), 0.5)
    >>> with chance_of_its_own(1):
    ...     torch.equal(drop(torch.ones(64), 0.5), first)
    True
    """
    before = getattr(_OF_THREAD, "generator", None)
    _OF_THREAD.generator = torch.Generator().manual_seed(seed)
    try:
        yield
    finally:
        _OF_THREAD.generator = before


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` by `drop`.

    >>> torch.equal(Dropout(0.5).eval()(torch.ones(3)), torch.ones(3))
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """In training, `drop`; else what it is given."""
        return drop(states, self.p) if self.training else states


def drop(states: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of the elements to zero at random and scale the others up, so that the mean stays.

    The chance follows from torch's own generator, so that a seed, or a state put back, gives the same again; inside
    `chance_of_its_own` it follows from that one's seed.

    Args:
        states: float tensor of any shape.
        share: of elements that become zero, in [0, 1]; on a CPU it is rounded to a 32,768th, or finer.

    Returns:
        A tensor of this shape and number format.

    >>> torch.equal(drop(torch.ones(3), 0.0), torch.ones(3))
    True
    """
    if share <= 0.0:
        return states
    if states.device.type != "cpu" or share >= 1.0:
        return functional.dropout(states, share)
    function = _DropDrawnAgain if can_pass(states) else _Drop
    left: torch.Tensor = function.apply(states, share)  # type: ignore[no-untyped-call]
    return left


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, share: float) -> torch.Tensor:
        kept = kept_elements(states.shape, share, states.dtype)
        ctx.save_for_backward(kept)
        ctx.times = 1 / (1 - share)
        return only(states, kept).mul_(ctx.times)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (kept,) = ctx.saved_tensors
        return only(gradient, kept).mul_(ctx.times), None


class _DropDrawnAgain(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, share: float) -> torch.Tensor:
        ctx.chance = Chance(share, _seed())
        return dropped(states, ctx.chance)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return dropped(gradient, ctx.chance), None


def chance_for(share: float) -> Chance | None:
    """Where there is dropout, in [0, 1), chance that follows from the same generator as that of `drop`."""
    return Chance(share, _seed()) if share > 0 else None


def only(states: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """What `kept_elements` keeps, and zeros, without any scale.

    By their bits: half of the time of a product with zeros and ones, which are numbers first.
    """
    return (states.view(kept.dtype) & kept).view(states.dtype)


def kept_elements(shape: torch.Size, share: float, dtype: torch.dtype) -> torch.Tensor:
    """Chance for `only`.

    Args:
        shape: of what elements are dropped from.
        share: of elements that become zero, in [0, 1).
        dtype: its number format.

    Returns:
        Whole numbers as wide as those: all bits set where the element stays, none where it does not.
    """
    words = -(-shape.numel() // 4)  # a random word of 64 bits decides on four elements
    bits = torch.from_numpy(np.random.SFC64(_seed()).random_raw(words).view(np.int16))
    faces = min(round((1 - share) * _FACES), _FACES - 1)
    # Below that number of faces a difference is negative, and its sign fills all bits.
    signs = bits.bitwise_and_(_FACES - 1).sub_(faces).bitwise_right_shift_(15)
    return signs[: shape.numel()].view(shape).to(_WHOLE[dtype.itemsize])


def _seed() -> int:
    return int(torch.randint(1 << 62, (), generator=getattr(_OF_THREAD, "generator", None)))
