"""Linear layers of bf16 weights for training on a CPU: fewer passes over the states than `torch.nn.Linear` makes.

In bf16 torch's own writes the bias into its result and reads it again; and oneDNN, which computes the products, finds
a weight's gradient faster where the narrower of the two states that it is found from was transposed before.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from leyenda.models.packed import can_pack


class TrainedProduct(nn.Linear):
    """A `torch.nn.Linear` of bf16 weights on a CPU that computes forward and backward by itself.

    >>> layer = nn.Linear(4, 3).bfloat16()
    >>> states = torch.randn(2, 4).bfloat16()
    >>> expected = layer(states)
    >>> compute_itself(layer)
    >>> torch.allclose(layer(states), expected, atol=0.02)
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Bf16 `[..., in_features]` to bf16 `[..., out_features]`."""
        result: torch.Tensor = _Product.apply(states, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return result


def compute_itself(layer: nn.Linear) -> None:
    """Make a layer a `TrainedProduct`, where its weights and this build of torch allow it.

    Args:
        layer: changed in place; its weights and their names stay.
    """
    if type(layer) is nn.Linear and can_pack(layer.weight.device, layer.weight.dtype):
        layer.__class__ = TrainedProduct


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        ctx.save_for_backward(states, weight)
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
        return result

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        states, weight = ctx.saved_tensors
        of_states, of_weight, of_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            gradient @ weight if of_states else None,
            _of_weight(rows, states.flatten(0, -2)) if of_weight else None,
            _sum_of_rows(rows) if of_bias else None,
        )


def _of_weight(gradient: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """`[rows, out]` and `[rows, in]` to `[out, in]`."""
    if gradient.shape[1] < states.shape[1]:
        return gradient.t().contiguous() @ states
    return gradient.t() @ states


def _sum_of_rows(states: torch.Tensor) -> torch.Tensor:
    """`[rows, width]` to `[width]`, as a product with ones, which is twice as fast as `sum`."""
    return (states.new_ones(16, len(states)) @ states)[0]  # sixteen rows take less time than one
