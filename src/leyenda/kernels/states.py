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
        ctypes.c_int64(chance.seed),
        ctypes.c_int64(chance.faces),
        ctypes.c_float(chance.times),
        first_of(results),
        torch.get_num_threads(),
    )
    return results


def norm(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, least: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each position's states less their mean and over their deviation, times weights and with a bias added.

    Ba, Kiros and Hinton 2016, "Layer Normalization", arXiv:1607.06450.

    Args:
        states: bf16 `[..., width]`, a multiple of 16 wide.
        weight: float32 `[width]`.
        bias: float32 `[width]`.
        least: what is added to the variance.

    Returns:
        Bf16 `[..., width]`, and for `norm_gradient` float32 `[positions, 2]`.
    """
    states = states.contiguous()
    results, width = torch.empty_like(states), states.shape[-1]
    moments = torch.empty(states.numel() // width, 2)
    functions().norm(
        first_of(states),
        *map(ctypes.c_int64, (len(moments), width)),
        first_of(weight.contiguous()),
        first_of(bias.contiguous()),
        ctypes.c_float(least),
        first_of(results),
        first_of(moments),
        torch.get_num_threads(),
    )
    return results, moments


def norm_gradient(
    states: torch.Tensor, upstream: torch.Tensor, weight: torch.Tensor, moments: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Those of a norm's states, and of its weight and bias.

    Args:
        states: that were given to `norm`.
        upstream: bf16 `[..., width]`, its result's gradient.
        weight: float32 `[width]`.
        moments: what `norm` found besides.

    Returns:
        Bf16 `[..., width]` and float32 `[2, width]`.

    Raises:
        MemoryError: there is no memory for a few rows' sums.
    """
    states, upstream = states.contiguous(), upstream.contiguous()
    gradients, width = torch.empty_like(states), states.shape[-1]
    of_weights = torch.empty(2, width)
    if functions().norm_gradient(
        first_of(states),
        first_of(upstream),
        *map(ctypes.c_int64, (len(moments), width)),
        first_of(weight.contiguous()),
        first_of(moments),
        first_of(gradients),
        first_of(of_weights),
        torch.get_num_threads(),
    ):
        raise MemoryError("not enough memory: norm")
    return gradients, of_weights


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
