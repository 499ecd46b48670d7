"""Bf16 states between a layer's products: activations, dropout, norms, transposed copies; `states.c` computes them."""

from __future__ import annotations

import ctypes

import torch

from leyenda.kernels.chance import Chance
from leyenda.kernels.library import first_of, functions, library


def can_pass(*states: torch.Tensor) -> bool:
    """Whether the kernels take these states, of any shape."""
    if torch.compiler.is_compiling() or library() is None:
        return False
    return all(one.device.type == "cpu" and one.dtype == torch.bfloat16 for one in states)


def swish(states: torch.Tensor) -> torch.Tensor:
    """Of bf16 states, x sigmoid(x)."""
    return _each("swish_of", states)


def swish_gradient(states: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Of a swish's states, from that of its result."""
    return _each("swish_gradient", states, gradient)


def gelu(states: torch.Tensor) -> torch.Tensor:
    """Of bf16 states, x times the normal distribution's share below x."""
    return _each("gelu_of", states)


def gelu_gradient(states: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Of a GELU's states, from that of its result."""
    return _each("gelu_gradient", states, gradient)


def dropped(states: torch.Tensor, chance: Chance) -> torch.Tensor:
    """What dropout leaves of bf16 states, scaled up; of gradients as well."""
    states = states.contiguous()
    results = torch.empty_like(states)
    functions().drop(
        first_of(states),
        ctypes.c_int64(states.numel()),
        _dropout(chance),
        first_of(results),
        torch.get_num_threads(),
    )
    return results


def norm(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    least: float,
    added: torch.Tensor | None = None,
    chance: Chance | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each position's states less their mean and over their deviation, times weights and with a bias added.

    Ba, Kiros and Hinton 2016, "Layer Normalization", arXiv:1607.06450.

    Args:
        states: bf16 `[..., width]`, a multiple of 16 wide.
        weight: float32 `[width]`.
        bias: float32 `[width]`.
        least: what is added to the variance.
        added: bf16 of the states' shape, added to them before; None for nothing.
        chance: of dropout from what is added; None where there is none.

    Returns:
        Bf16 `[..., width]`; what was normed, of this shape; and for `norm_gradient` float32 `[positions, 2]`.
    """
    states, width = states.contiguous(), states.shape[-1]
    added = None if added is None else added.contiguous()
    results, sums = torch.empty_like(states), states if added is None else torch.empty_like(states)
    moments = torch.empty(states.numel() // width, 2)
    functions().norm(
        first_of(states),
        None if added is None else first_of(added),
        _dropout(chance),
        *map(ctypes.c_int64, (len(moments), width)),
        first_of(weight.contiguous()),
        first_of(bias.contiguous()),
        ctypes.c_float(least),
        first_of(sums),
        first_of(results),
        first_of(moments),
        torch.get_num_threads(),
    )
    return results, sums, moments


def norm_gradient(
    states: torch.Tensor,
    upstream: torch.Tensor,
    weight: torch.Tensor,
    moments: torch.Tensor,
    beside: torch.Tensor | None = None,
    chance: Chance | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Those of what `norm` normed, of what dropout left of what was added, and of the norm's weight and bias.

    Args:
        states: what was normed.
        upstream: bf16 `[..., width]`, its result's gradient.
        weight: float32 `[width]`.
        moments: what `norm` found besides.
        beside: bf16 `[..., width]`, a gradient of the same states to which this one is added; None for none.
        chance: that of `norm`.

    Returns:
        Bf16 `[..., width]` twice, the same tensor where there is no chance, and float32 `[2, width]`.

    Raises:
        MemoryError: there is no memory for a few rows' sums.
    """
    upstream, width = upstream.contiguous(), states.shape[-1]
    beside = None if beside is None else beside.contiguous()
    gradients = torch.empty_like(states)
    left = gradients if chance is None else torch.empty_like(states)
    of_weights = torch.empty(2, width)
    if functions().norm_gradient(
        ctypes.byref(
            _NormGradients(
                upstream.data_ptr(),
                None if beside is None else beside.data_ptr(),
                gradients.data_ptr(),
                None if chance is None else left.data_ptr(),
            )
        ),
        first_of(states),
        _dropout(chance),
        *map(ctypes.c_int64, (len(moments), width)),
        first_of(weight.contiguous()),
        first_of(moments),
        first_of(of_weights),
        torch.get_num_threads(),
    ):
        raise MemoryError("not enough memory: norm")
    return gradients, left, of_weights


class _Dropout(ctypes.Structure):
    _fields_ = [("seed", ctypes.c_int64), ("faces", ctypes.c_int64), ("times", ctypes.c_float)]


class _NormGradients(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("upstream", "beside", "gradients", "left")]


def _dropout(chance: Chance | None) -> ctypes.Array[_Dropout] | None:
    return None if chance is None else (_Dropout * 1)(_Dropout(chance.seed, chance.faces, chance.times))


def transposed_into(turned: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Bf16 `[rows, columns]` copied to `[columns, rows]`, which is given and returned; both may have longer rows."""
    states = states if states.stride(1) == 1 else states.contiguous()
    functions().transposed(
        first_of(states),
        *map(ctypes.c_int64, (*states.shape, states.stride(0))),
        first_of(turned),
        ctypes.c_int64(turned.stride(0)),
        torch.get_num_threads(),
    )
    return turned


def _each(name: str, states: torch.Tensor, gradient: torch.Tensor | None = None) -> torch.Tensor:
    states = states.contiguous()
    gradient = None if gradient is None else gradient.contiguous()
    results = torch.empty_like(states)
    getattr(functions(), name)(
        first_of(states),
        None if gradient is None else first_of(gradient),
        ctypes.c_int64(states.numel()),
        first_of(results),
        torch.get_num_threads(),
    )
    return results
