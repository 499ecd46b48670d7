"""Attention of bf16 states whose scores stay in the core's cache, forward and backward; `attention.c` computes it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch

from leyenda.kernels.chance import Chance
from leyenda.kernels.library import first_of, functions, library

_LONGEST = 4096
"""Positions: a block of 32 queries' scores in float32 takes half a megabyte then."""


def can_attend(*states: torch.Tensor) -> bool:
    """Whether the kernel takes queries, keys and values, each `[images, heads, positions, width]`."""
    if torch.compiler.is_compiling() or library() is None:
        return False
    return all(
        one.device.type == "cpu"
        and one.dtype == torch.bfloat16
        and one.stride(-1) == 1
        and one.shape[-1] % 32 == 0
        and 0 < one.shape[-2] <= _LONGEST
        for one in states
    )


def attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None = None,
    chance: Chance | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Softmax of scaled products times values.

    Args:
        queries: bf16 `[images, heads, asking, width]`.
        keys: bf16 `[images, heads, told, width]`.
        values: bf16 `[images, heads, told, width]`.
        mask: bool `[images, last, told]`: True where each of the last queries may look; queries before these look at
            the keys before theirs. None for everywhere.
        chance: of dropout among the weights; None for none.

    Returns:
        Bf16 `[images, heads, asking, width]`, in which the heads of a position lie side by side; and float32
        `[images, heads, asking]`: the logarithm, base 2, of what each query's weights were divided by.

    Raises:
        MemoryError: there is no memory for a head's scores.
    """
    attended = _side_by_side(queries)
    logarithms = torch.empty(queries.shape[:3])
    _call("attention_forward", [queries, keys, values], mask, chance, [attended], logarithms)
    return attended, logarithms


def gradients_of_attention(
    states: Sequence[torch.Tensor],
    attended: torch.Tensor,
    upstream: torch.Tensor,
    logarithms: torch.Tensor,
    mask: torch.Tensor | None = None,
    chance: Chance | None = None,
) -> list[torch.Tensor]:
    """Those of queries, keys and values.

    Args:
        states: queries, keys and values as they were given to `attention`.
        attended: what it found.
        upstream: bf16, that one's gradient.
        logarithms: what it found as well.
        mask: as for `attention`.
        chance: as for `attention`.

    Returns:
        For each of the states its gradient, in which the heads of a position lie side by side.

    Raises:
        MemoryError: there is no memory for a head's scores.
    """
    gradients = [_side_by_side(one) for one in states]
    upstream = upstream if upstream.stride(-1) == 1 else upstream.contiguous()
    _call("attention_backward", states, mask, chance, [attended], [upstream], logarithms, gradients)
    return gradients


class _Heads(ctypes.Structure):
    _fields_ = [
        ("first", ctypes.c_void_p),
        ("image", ctypes.c_int64),
        ("head", ctypes.c_int64),
        ("position", ctypes.c_int64),
    ]


class _Attention(ctypes.Structure):
    _fields_ = [
        ("images", ctypes.c_int64),
        ("heads", ctypes.c_int64),
        ("asking", ctypes.c_int64),
        ("told", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("mask", ctypes.c_void_p),
        ("last", ctypes.c_int64),
        ("seed", ctypes.c_int64),
        ("faces", ctypes.c_int64),
        ("scale", ctypes.c_float),
        ("times", ctypes.c_float),
    ]


def _call(
    name: str,
    states: Sequence[torch.Tensor],
    mask: torch.Tensor | None,
    chance: Chance | None,
    *tensors: torch.Tensor | Sequence[torch.Tensor],
) -> None:
    queries, keys = states[:2]
    images, heads, asking, width = queries.shape
    mask = None if mask is None else mask.contiguous()
    of = _Attention(
        images,
        heads,
        asking,
        keys.shape[2],
        width,
        None if mask is None else mask.data_ptr(),
        0 if mask is None else mask.shape[1],
        0 if chance is None else chance.seed,
        -1 if chance is None else chance.faces,
        width**-0.5,
        1.0 if chance is None else chance.times,
    )
    if getattr(functions(), name)(
        ctypes.byref(of), *map(_places, (states, *tensors)), torch.get_num_threads()
    ):
        raise MemoryError("not enough memory: attention")


def _places(tensors: torch.Tensor | Sequence[torch.Tensor]) -> ctypes.c_void_p | ctypes.Array[_Heads]:
    """Where numbers, or the heads of several states, are."""
    if isinstance(tensors, torch.Tensor):
        return first_of(tensors)
    return (_Heads * len(tensors))(*(_Heads(one.data_ptr(), *one.stride()[:3]) for one in tensors))


def _side_by_side(states: torch.Tensor) -> torch.Tensor:
    images, heads, positions, width = states.shape
    return states.new_empty(images, positions, heads, width).transpose(1, 2)
