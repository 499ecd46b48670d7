"""Gradients in bf16 of one weight added up in float32, however each of them lies in memory; see `gradients.c`."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch

from leyenda.kernels.library import functions, library

_MOST = 8
"""Gradients that are added at once."""


def can_add_up(sums: torch.Tensor, found: Sequence[torch.Tensor]) -> bool:
    """Whether the kernel takes float32 sums, and gradients of their shape of one or two dimensions."""
    if (
        library() is None
        or sums.dtype != torch.float32
        or not sums.is_contiguous()
        or not 1 <= sums.ndim <= 2
    ):
        return False
    return len(found) <= _MOST and all(
        one.device.type == "cpu" and one.dtype == torch.bfloat16 and 1 in one.stride()[-2:] for one in found
    )


def add_up(sums: torch.Tensor, found: Sequence[torch.Tensor], times: float, more: bool) -> float:
    """Have the sum of gradients, times a factor.

    Args:
        sums: float32 `[rows, columns]` or `[columns]`, one row behind the other; changed in place.
        found: bf16 of this shape, with rows or columns that lie side by side.
        times: the factor.
        more: whether it is added to what is there.

    Returns:
        The sum of the squares of what is there then.

    Raises:
        MemoryError: there is no memory for a few rows.

    >>> sums = torch.ones(2)
    >>> if can_add_up(sums, [sums.bfloat16()]):
    ...     squares = add_up(sums, [torch.ones(2).bfloat16(), torch.ones(2).bfloat16()], 3.0, True)
    ...     assert sums.tolist() == [7.0, 7.0]
    ...     assert squares == 98.0
    """
    rows, columns = sums.shape if sums.ndim == 2 else (1, len(sums))
    matrices = (_Matrix * len(found))(*map(_matrix, found))
    wanted = _Sum(matrices, len(found), rows, columns, times, more, sums.data_ptr())
    squares = ctypes.c_double()
    if functions().add_up(ctypes.byref(wanted), ctypes.byref(squares), torch.get_num_threads()):
        raise MemoryError("not enough memory: gradients")
    return squares.value


class _Matrix(ctypes.Structure):
    _fields_ = [("first", ctypes.c_void_p), ("row", ctypes.c_int64), ("column", ctypes.c_int64)]


class _Sum(ctypes.Structure):
    _fields_ = [
        ("found", ctypes.POINTER(_Matrix)),
        ("count", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("times", ctypes.c_float),
        ("more", ctypes.c_int),
        ("sums", ctypes.c_void_p),
    ]


def _matrix(found: torch.Tensor) -> _Matrix:
    strides = found.stride() if found.ndim == 2 else (0, 1)
    # Of a matrix of one column either may be said; the kernel reads 16 columns at a time where it can.
    return _Matrix(found.data_ptr(), *strides)
