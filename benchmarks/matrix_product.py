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
        rates(self.scale, self.device)
        while True:
            turns.begin()
            measured = rates(self.scale, self.device)
            rate = max(measured[self.number_format].values())
            turns.end(Work(1, flops=rate, seconds=1.0, notes={"flop_per_s": measured}))


def rates(scale: int = 1, device: str = "cpu") -> dict[str, dict[str, float]]:
    """FLOP/s by number format and shape."""
    return {
        name: {
            "x".join(map(str, shape)): _rate(name, shape, scale, device)
            for shape in (SHAPES if device == "cpu" else GPU_SHAPES)
        }
        for name in FORMATS
    }


def _rate(name: str, shape: tuple[int, int, int], scale: int, device: str) -> float:
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[name]
    rows, inner, columns = (size // scale for size in shape)
    left = torch.randn(rows, inner, device=device).to(dtype)
    right = torch.randn(inner, columns, device=device).to(dtype)
    out = torch.empty(rows, columns, dtype=dtype, device=device)

    def multiply(times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            torch.mm(left, right, out=out)
        if device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    multiply(1)
    times, seconds = 0, 0.0
    while seconds < _LEAST_SECONDS:
        seconds += multiply(times or 1)
        times += times or 1
    return 2 * rows * inner * columns * times / seconds
