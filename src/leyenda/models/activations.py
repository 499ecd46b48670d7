"""Activations with one saved tensor, few passes over memory and no needless copies.

Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", arXiv:1606.08415.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from leyenda.kernels import states as kernels

SLOPE = 1.702

_Of = Callable[[torch.Tensor], torch.Tensor]
_GradientOf = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


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
        result: torch.Tensor = _InOnePass.apply(  # type: ignore[no-untyped-call]
            states, kernels.swish, kernels.swish_gradient
        )
        return result


class Gelu(nn.GELU):
    """x times the normal distribution's share below x.

    >>> Gelu()(torch.tensor([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Element by element."""
        if not kernels.can_pass(states):
            return functional.gelu(states)
        result: torch.Tensor = _InOnePass.apply(  # type: ignore[no-untyped-call]
            states, kernels.gelu, kernels.gelu_gradient
        )
        return result


class _InOnePass(torch.autograd.Function):
    """An activation and its gradient, by the kernels that find them."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, of: _Of, gradient_of: _GradientOf) -> torch.Tensor:
        ctx.gradient_of = gradient_of
        ctx.save_for_backward(states)
        return of(states)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (states,) = ctx.saved_tensors
        return ctx.gradient_of(states, gradient), None, None


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
