"""A weight that replicas of a model share, the sum of the gradients that they find for it, and how great that is."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from leyenda.kernels.gradients import add_up, can_add_up

_AT_ONCE = 1 << 17
"""Numbers of gradients that are cast and added together: torch takes four times as long to add numbers of two formats
as to cast them first, and in pieces what was cast is still in the processor's cache."""


class ReplicatedWeight:
    """One of the model's weights, and what its replicas have in its place.

    Args:
        own: the model's.
        narrow: whether replicas have it in bf16; else they read the model's own numbers.
        times: what its numbers are multiplied by in replicas that have it in bf16.
    """

    def __init__(self, own: nn.Parameter, narrow: bool, times: float) -> None:
        self.own = own
        self._times = times
        self._narrow = torch.empty_like(own, dtype=torch.bfloat16) if narrow else None
        self._replicated: list[nn.Parameter] = []
        self._first: torch.Tensor | None = None
        self._squares: float | None = None
        self.follow()

    @property
    def squares(self) -> float:
        """The sum of the squares of the model's gradient, as it was when something was last added to it."""
        if self.own.grad is None:
            return 0.0
        if self._squares is None:
            self._squares = _squares(self.own.grad)
        return self._squares

    def for_one_more(self) -> nn.Parameter:
        """What the next replica has in its place."""
        numbers = self.own.detach() if self._narrow is None else self._narrow
        self._replicated.append(nn.Parameter(numbers, requires_grad=self.own.requires_grad))
        return self._replicated[-1]

    def follow(self) -> None:
        """Have the numbers that the model's has now."""
        numbers = self.own.detach()
        if self._narrow is not None:
            self._narrow.copy_(numbers if self._times == 1 else numbers * self._times)
            return
        for one in self._replicated:
            one.data = numbers

    @torch.no_grad()
    def add_gradient(self, place: int) -> None:
        """Of the replica in this place, which has none afterwards; the first waits for the second."""
        found, self._replicated[place].grad = self._replicated[place].grad, None
        if found is None:
            return
        if found.is_sparse:
            if self.own.grad is None:
                self.own.grad = torch.zeros_like(self.own)
            self.own.grad.add_(found.coalesce())
            self._squares = None  # found once, behind the last of them
        elif self.own.grad is not None:
            self._add_up(self.own.grad, found, more=True)
        elif self._first is None:
            self._first = found
        else:
            self._settle(self._first, found)

    @torch.no_grad()
    def settle(self) -> None:
        """After the last part, in case that it was the only one."""
        if self._first is not None:
            self._settle(self._first)

    def _settle(self, *parts: torch.Tensor) -> None:
        """Have their sum as the model's gradient, laid out in memory as its weight, which optimizers rely on."""
        sums = torch.empty_like(self.own)
        self._add_up(sums, *parts)
        self.own.grad, self._first = sums, None

    def _add_up(self, sums: torch.Tensor, *parts: torch.Tensor, more: bool = False) -> None:
        """Have the sum of a gradient's parts there, or added to what is there."""
        if can_add_up(sums, parts):
            self._squares = add_up(sums, parts, self._times, more)
            return
        squares = 0.0
        for some in _a_few_rows(self.own):
            first, *others = (self._cast(part, some) for part in parts)
            whole = functools.reduce(torch.Tensor.add_, others, first)
            if more:
                whole += sums[some]
            sums[some] = whole
            squares += _squares(whole)
        self._squares = squares

    def _cast(self, gradient: torch.Tensor, some: slice) -> torch.Tensor:
        """Some of its rows in the weight's number format, multiplied as the weight was."""
        rows = gradient[some].to(self.own.dtype, copy=True)
        return rows if self._times == 1 else rows.mul_(self._times)

    def forget_gradients(self) -> None:
        """Those that replicas still have; the model keeps its own."""
        self._first = None
        for one in self._replicated:
            one.grad = None


def _squares(numbers: torch.Tensor) -> float:
    """The sum of them."""
    return float(torch.linalg.vector_norm(numbers)) ** 2


def _a_few_rows(weight: torch.Tensor) -> Iterator[Any]:
    """Indices of all of them, of so few at a time that their numbers stay in the processor's cache."""
    if not weight.ndim:
        return iter((...,))
    rows = -(-_AT_ONCE * len(weight) // max(weight.numel(), 1))
    return (slice(first, first + rows) for first in range(0, len(weight), rows))
