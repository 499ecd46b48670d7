"""Activations with one saved tensor, few passes over memory and no needless copies.

Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", arXiv:1606.08415.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from leyenda.kernels import states as kernels

SLOPE = 1.702


class QuickGelu(nn.Module):
    """As `transformers`' `QuickGELUActivation`, that of CLIP's image encoder; inputs and outputs of any one shape.

    >>> x = torch.linspace(-4, 4, 9)
    >>> torch.allclose(QuickGelu()(x), x * torch.sigmoid(1.702 * x))
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Element by element."""
        if torch.compiler.is_compiling():
            return states * torch.sigmoid(
                SLOPE * states
            )  # the compiler fuses this, and not the function below
        result: torch.Tensor = _QuickGelu.apply(states)  # type: ignore[no-untyped-call]
        return result


class _QuickGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(states)
        return (states * SLOPE).sigmoid_().mul_(states)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (states,) = ctx.saved_tensors
        return torch.ops.aten.silu_backward(gradient, states * SLOPE)


class Swish(nn.SiLU):
    """x sigmoid(x).

    >>> x = torch.linspace(-4, 4, 9)
    >>> torch.allclose(Swish()(x), x * torch.sigmoid(x))
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Element by element."""
        if not kernels.can_pass(states):
            return super().forward(states)
        result: torch.Tensor = _Swish.apply(states)  # type: ignore[no-untyped-call]
        return result


class _Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(states)
        return kernels.swish(states)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (states,) = ctx.saved_tensors
        return kernels.swish_gradient(states, gradient)


class Gelu(nn.GELU):
    """x times the normal distribution's share below x.

    >>> Gelu()(torch.tensor([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Element by element."""
        if not kernels.can_pass(states):
            return functional.gelu(states)
        result: torch.Tensor = _Gelu.apply(states)  # type: ignore[no-untyped-call]
        return result


class _Gelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(states)
        return kernels.gelu(states)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (states,) = ctx.saved_tensors
        return kernels.gelu_gradient(states, gradient)


def faster_activation(activation: Any) -> Any:
    """The activation itself, or what computes the same with less memory traffic."""
    if type(activation).__name__ == "QuickGELUActivation":
        return QuickGelu().train(activation.training)
    if is_exact_gelu(activation):
        return Gelu().train(activation.training)
    return activation


def is_exact_gelu(activation: Any) -> bool:
    """Whether it is `Gelu`, torch's own, or the one of `transformers` that computes the same."""
    if isinstance(activation, nn.GELU):
        return bool(activation.approximate == "none")
    return type(activation).__name__ == "GELUActivation"
