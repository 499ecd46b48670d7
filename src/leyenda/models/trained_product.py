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


class TrainedPatches(nn.Conv2d):
    """A `torch.nn.Conv2d` of patches side by side, as the product that it is.

    >>> layer = nn.Conv2d(3, 5, 4, stride=4).bfloat16()
    >>> pixels = torch.randn(2, 3, 8, 8).bfloat16()
    >>> expected = layer(pixels)
    >>> compute_itself(layer)
    >>> torch.allclose(layer(pixels), expected, atol=0.02)
    True
    """

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """`[batch, channels, height, width]` to bf16 `[batch, out_channels, rows, columns]` of patches."""
        (high, wide), channels = self.kernel_size, self.in_channels
        rows, columns = pixels.shape[-2] // high, pixels.shape[-1] // wide
        whole = pixels[..., : rows * high, : columns * wide].to(self.weight.dtype)
        patches = whole.reshape(-1, channels, rows, high, columns, wide).permute(0, 2, 4, 1, 3, 5)
        states: torch.Tensor = _Product.apply(patches.flatten(3), self.weight.flatten(1), self.bias)  # type: ignore[no-untyped-call]
        return states.permute(0, 3, 1, 2)


def compute_itself(layer: nn.Module) -> None:
    """Make a layer a `TrainedProduct` or `TrainedPatches`, where its weights and this build of torch allow it.

    Args:
        layer: changed in place; its weights and their names stay.
    """
    if type(layer) is nn.Linear and can_pack(layer.weight.device, layer.weight.dtype):
        layer.__class__ = TrainedProduct
    if type(layer) is nn.Conv2d and can_pack(layer.weight.device, layer.weight.dtype):
        side_by_side = layer.stride == layer.kernel_size and set(layer.padding) | {layer.groups - 1} <= {0}
        if side_by_side and layer.dilation == (1, 1):
            layer.__class__ = TrainedPatches


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
            weight_gradient(rows, states.flatten(0, -2)) if of_weight else None,
            _sum_of_rows(rows) if of_bias else None,
        )


def weight_gradient(gradient: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Of a product's weight, from the gradient of its result.

    Args:
        gradient: `[rows, out_features]`.
        states: `[rows, in_features]`, in the same number format.

    Returns:
        `[out_features, in_features]` in this format.
    """
    turned = gradient.t()
    if gradient.device.type == "cpu" and gradient.dtype == torch.bfloat16:
        turned = turned.contiguous()  # oneDNN reads it row by row, and each row several times
    return turned @ states


def _sum_of_rows(states: torch.Tensor) -> torch.Tensor:
    """`[rows, width]` to `[width]`, as a product with ones, which is twice as fast as `sum`."""
    return (states.new_ones(16, len(states)) @ states)[0]  # sixteen rows take less time than one
