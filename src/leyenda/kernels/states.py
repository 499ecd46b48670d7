"""Bf16 states between a layer's products, in one pass: activations and transposed copies; `states.c` computes them."""

from __future__ import annotations

import ctypes

import torch

from leyenda.kernels.library import library


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


def transposed_into(turned: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Bf16 `[rows, columns]` copied to `[columns, rows]`, which is given and returned; both may have longer rows."""
    compiled = library()
    assert compiled is not None
    states = states if states.stride(1) == 1 else states.contiguous()
    compiled.transposed(
        ctypes.c_void_p(states.data_ptr()),
        *map(ctypes.c_int64, (*states.shape, states.stride(0))),
        ctypes.c_void_p(turned.data_ptr()),
        ctypes.c_int64(turned.stride(0)),
        torch.get_num_threads(),
    )
    return turned


def _each(name: str, states: torch.Tensor, gradient: torch.Tensor | None = None) -> torch.Tensor:
    compiled = library()
    assert compiled is not None
    states = states.contiguous()
    gradient = None if gradient is None else gradient.contiguous()
    results = torch.empty_like(states)
    getattr(compiled, name)(
        ctypes.c_void_p(states.data_ptr()),
        ctypes.c_void_p(None if gradient is None else gradient.data_ptr()),
        ctypes.c_int64(states.numel()),
        ctypes.c_void_p(results.data_ptr()),
        torch.get_num_threads(),
    )
    return results
