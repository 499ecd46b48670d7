"""Layer norm in training and the sum before it, in one pass over the states forward and one back, by kernels.

Ba, Kiros and Hinton 2016, "Layer Normalization", arXiv:1607.06450.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from leyenda.kernels import states as kernels
from leyenda.kernels.chance import Chance
from leyenda.models.dropout import chance_for, drop


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
        return _found(self, states, None, None)[1] if _suits(self, states) else super().forward(states)


def sum_and_norm(
    norm: nn.Module, states: torch.Tensor, added: torch.Tensor | None = None, dropout: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """States, with what dropout leaves of something else, as they are and normed.

    Args:
        norm: any layer norm.
        states: `[..., width]`.
        added: of the same shape; None for nothing.
        dropout: share of it that is set to zero, in [0, 1].

    Returns:
        Both `[..., width]`. The sums are to be used in the place of the states, for then the two gradients are added
        where that of the norm is found.

    >>> sums, normed = sum_and_norm(nn.LayerNorm(2, 0.0), torch.ones(2), torch.tensor([1.0, 3.0]))
    >>> sums.tolist(), normed.tolist()
    ([2.0, 4.0], [-1.0, 1.0])
    """
    if dropout < 1 and _suits(norm, states, added):
        return _found(norm, states, added, chance_for(dropout))
    if added is not None:
        states = states + drop(added, dropout)
    return states, norm(states)


def _suits(norm: Any, states: torch.Tensor, added: torch.Tensor | None = None) -> bool:
    return (
        isinstance(norm, TrainedNorm)
        and kernels.can_pass(states, *([] if added is None else [added]))
        and norm.normalized_shape == (states.shape[-1],)
        and states.shape[-1] % 16 == 0
        and norm.bias is not None
        and norm.weight.dtype == norm.bias.dtype == torch.float32
    )


def _found(
    norm: Any, states: torch.Tensor, added: torch.Tensor | None, chance: Chance | None
) -> tuple[torch.Tensor, torch.Tensor]:
    both: tuple[torch.Tensor, torch.Tensor] = _Norm.apply(  # type: ignore[no-untyped-call]
        states, added, norm.weight, norm.bias, norm.eps, chance
    )
    return both


class _Norm(torch.autograd.Function):
    """What was normed, and the result."""

    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        added: torch.Tensor | None,
        weight: torch.Tensor,
        bias: torch.Tensor,
        least: float,
        chance: Chance | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        result, sums, moments = kernels.norm(states, weight, bias, least, added, chance)
        ctx.save_for_backward(sums, weight, moments)
        ctx.chance = chance
        ctx.set_materialize_grads(False)
        return states if added is None else sums, result

    @staticmethod
    def backward(ctx: Any, beside: torch.Tensor | None, gradient: torch.Tensor | None) -> Any:
        states, weight, moments = ctx.saved_tensors
        if gradient is None:
            gradient = torch.zeros_like(states)
        found = kernels.norm_gradient(states, gradient, weight, moments, beside, ctx.chance)
        of_states, of_added, of_weights = found
        return of_states, of_added if ctx.needs_input_grad[1] else None, *of_weights, None, None
