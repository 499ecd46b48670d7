"""Layer norm in training with one pass over the states forward and one back, on CPUs that have kernels for it.

Ba, Kiros and Hinton 2016, "Layer Normalization", arXiv:1607.06450.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from leyenda.kernels import states as kernels


class TrainedNorm(nn.LayerNorm):
    """As `torch.nn.LayerNorm`, with its weights and their names.

    >>> states = torch.randn(3, 32).bfloat16()
    >>> usual = nn.LayerNorm(32)
    >>> expected = usual(states)
    >>> usual.__class__ = TrainedNorm
    >>> torch.allclose(usual(states).float(), expected.float(), atol=0.02)
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`[..., width]` to the same, in its number format."""
        if not self._suits(states):
            return super().forward(states)
        result: torch.Tensor = _Norm.apply(states, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        return result

    def _suits(self, states: torch.Tensor) -> bool:
        return (
            kernels.can_pass(states)
            and self.normalized_shape == (states.shape[-1],)
            and states.shape[-1] % 16 == 0
            and self.bias is not None
            and self.weight.dtype == self.bias.dtype == torch.float32
        )


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, least: float
    ) -> torch.Tensor:
        result, moments = kernels.norm(states, weight, bias, least)
        ctx.save_for_backward(states, weight, moments)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        states, weight, moments = ctx.saved_tensors
        of_states, of_weights = kernels.norm_gradient(states, gradient, weight, moments)
        return of_states, of_weights[0], of_weights[1], None
