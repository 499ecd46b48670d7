"""A single row of states times weights, which are read as fast as the memory gives them; see `row.c`."""

from __future__ import annotations

import ctypes

import torch

from leyenda.kernels.library import first_of, functions, library

ACTIVATIONS = ("none", "gelu", "swish")
"""What can follow the product, in the kernel's order."""


class RowProduct:
    """A linear layer for single rows, and what follows it.

    Args:
        weight: bf16 `[out, in]`, a multiple of 32 wide.
        bias: bf16 `[out]`, or None.
        activation: one of `ACTIVATIONS`.

    >>> weight = torch.eye(32).bfloat16()
    >>> if can_multiply_rows(weight):
    ...     doubled = RowProduct(weight * 2, None, "none")(torch.ones(1, 32).bfloat16())
    ...     assert doubled.tolist() == [[2.0] * 32]
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, activation: str) -> None:
        self._multiply = functions().multiply_row
        self._weight, self._bias = weight.contiguous(), bias
        rows, width = weight.shape
        self._rows = rows
        # Made once: a step has thirty such products, each of them shorter than a tenth of a millisecond.
        self._first = first_of(self._weight)
        self._shape = ctypes.c_int64(rows), ctypes.c_int64(width)
        self._rest = (
            None if bias is None else first_of(bias),
            ctypes.c_int(ACTIVATIONS.index(activation)),
        )

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Bf16 `[..., in]` of one row to bf16 `[..., out]`."""
        states = states.contiguous()
        results = states.new_empty(*states.shape[:-1], self._rows)
        self._multiply(
            self._first,
            first_of(states),
            *self._shape,
            *self._rest,
            first_of(results),
            torch.get_num_threads(),
        )
        return results


def can_multiply_rows(weight: torch.Tensor) -> bool:
    """Whether the kernel takes these weights."""
    return (
        library() is not None
        and weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and weight.shape[1] % 32 == 0
    )


def can_multiply_whole_row(weight: torch.Tensor) -> bool:
    """Whether `multiply_whole_row` takes these weights."""
    return library() is not None and weight.device.type == "cpu" and weight.shape[1] % 64 == 0


def multiply_whole_row(weight: torch.Tensor, scale: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """A product of whole numbers.

    Args:
        weight: int8 `[out, in]`, one row behind the other.
        scale: float32 `[out]`: what each row is multiplied by.
        states: uint8 `[1, in]`, of which 128 stands for zero.

    Returns:
        Float32 `[1, out]`.
    """
    rows, width = weight.shape
    results = torch.empty(1, rows)
    functions().multiply_whole_row(
        first_of(weight),
        first_of(scale),
        first_of(states),
        ctypes.c_int64(rows),
        ctypes.c_int64(width),
        first_of(results),
        torch.get_num_threads(),
    )
    return results
