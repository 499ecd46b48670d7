"""How fast this machine multiplies matrices: the ceiling that every other figure is held against."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.turns import Turns, Work

FORMATS = ("fp32", "bf16")

SHAPES = ((6304, 768, 3072), (6304, 3072, 768), (6304, 768, 768), (2048, 2048, 2048))
"""Rows, inner, columns. The first three are those of GIT-base's layers for 32 images of 197 positions."""

GPU_SHAPES = (*SHAPES, (8192, 8192, 8192))
"""A GPU is not filled by the others."""

_LEAST_SECONDS = 0.15

_MOMENTS = 5
"""In which each shape is multiplied: the best of single ones would be a rate that a noisy machine has in no piece of
work that takes seconds."""


@dataclass(frozen=True)
class MatrixProducts:
    """Multiplies matrices of the model's shapes; its rate is that of the best shape.

    Args:
        number_format: the format whose rate is this side's figure; the notes have both.
        scale: divides the shapes, for quick trials.
        device: `cpu` or `cuda`.
    """

    number_format: str = "fp32"
    scale: int = 1
    device: str = "cpu"
    label: str = "matrix products"

    def run(self, turns: Turns) -> None:
        moments = _MOMENTS if self.scale == 1 else 1
        rates(self.scale, self.device, 1)
        while True:
            turns.begin()
            measured = rates(self.scale, self.device, moments)
            rate = max(measured[self.number_format].values())
            turns.end(Work(1, flops=rate, seconds=1.0, notes={"flop_per_s": measured}))


def rates(scale: int = 1, device: str = "cpu", moments: int = _MOMENTS) -> dict[str, dict[str, float]]:
    """FLOP/s by number format and shape, each over so many moments."""
    shapes = SHAPES if device == "cpu" else GPU_SHAPES
    products = {(name, shape): _Product(name, shape, scale, device) for name in FORMATS for shape in shapes}
    for _ in range(moments):
        for product in products.values():
            product.work()
    return {
        name: {"x".join(map(str, shape)): products[name, shape].flop_per_s() for shape in shapes}
        for name in FORMATS
    }


class _Product:
    """One product, done again and again."""

    def __init__(self, name: str, shape: tuple[int, int, int], scale: int, device: str) -> None:
        import torch

        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[name]
        rows, inner, columns = (size // scale for size in shape)
        self._left = torch.randn(rows, inner, device=device).to(dtype)
        self._right = torch.randn(inner, columns, device=device).to(dtype)
        self._out = torch.empty(rows, columns, dtype=dtype, device=device)
        self._flop = 2.0 * rows * inner * columns
        self._times, self._seconds = 0, 0.0
        self._multiply(1)

    def work(self) -> None:
        """For a moment."""
        times, seconds = 0, 0.0
        while seconds < _LEAST_SECONDS:
            seconds += self._multiply(times or 1)
            times += times or 1
        self._times, self._seconds = self._times + times, self._seconds + seconds

    def flop_per_s(self) -> float:
        """Of all the moments together."""
        return self._flop * self._times / self._seconds

    def _multiply(self, times: int) -> float:
        import torch

        started = time.perf_counter()
        for _ in range(times):
            torch.mm(self._left, self._right, out=self._out)
        if self._out.is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - started
