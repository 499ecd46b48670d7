"""Layers of a captioning GIT whose products are packed, without the calls of modules between the products.

For a single word these calls take a sixth of a step's time. What queries, keys and values are made of is one product.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from leyenda.models.attention import attend_everywhere, split_three

ROWS_AT_ONCE = 256
"""Of states between an encoder layer's widening and its narrowing product: 1.5 MB for a width of 768, so that they are
still in a core's cache when they are read."""


class PackedEncoderLayer:
    """A layer of the image encoder, as `git_network` has it for layers of any kind.

    Args:
        layer: its products are `leyenda.models.packed.PackedLinear`s.
    """

    def __init__(self, layer: Any) -> None:
        own, mlp = layer.self_attn, layer.mlp
        self._heads = own.num_heads
        # Their `forward`: a call of a module takes longer, and there are no hooks to run.
        self._together, self._joining = own.together.forward, own.out_proj.forward
        self._widening, self._narrowing = mlp.fc1.forward, mlp.fc2.forward
        self._activation = mlp.activation_fn
        self._norms = [_norm(layer.layer_norm1), _norm(layer.layer_norm2)]

    def __call__(self, states: torch.Tensor, positions: int) -> torch.Tensor:
        """The states behind this layer.

        Args:
            states: float32 `[images, rows, width]`.
            positions: how many of the rows are an image's; the rest fills tiles and is not looked at.

        Returns:
            Float32 `[images, rows, width]`.
        """
        first, second = self._norms
        together = self._together(torch.layer_norm(states, *first))
        queries, keys, values = split_three(together, self._heads)
        seen = attend_everywhere(queries, keys[:, :, :positions], values[:, :, :positions])
        states = states + self._joining(seen)
        normed = torch.layer_norm(states, *second).flatten(0, 1)
        parts = [
            self._narrowing(self._activation(self._widening(part)))
            for part in torch.split(normed, ROWS_AT_ONCE)
        ]
        ended: torch.Tensor = states + torch.cat(parts).view_as(states)
        return ended


class PackedDecoderLayer:
    """What `queries_keys_values`, `attend` and `after_attention` of `git_network` are together, for new words.

    Args:
        layer: of a GIT's decoder; its products are `leyenda.models.packed.PackedLinear`s.
    """

    def __init__(self, layer: Any) -> None:
        own, narrow, wide, final = (
            layer.attention.self,
            layer.attention.output,
            layer.intermediate,
            layer.output,
        )
        self._heads = own.num_attention_heads
        self._together, self._joining = own.together.forward, narrow.dense.forward
        self._widening, self._narrowing = wide.dense.forward, final.dense.forward
        self._activation = wide.intermediate_act_fn
        self._norms = [_norm(narrow.LayerNorm), _norm(final.LayerNorm)]

    def __call__(
        self, states: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """The states behind this layer.

        Args:
            states: float32 `[pictures, words, width]`.
            keys: bf16 `[pictures, heads, slots, head width]`; the words' own are written into the last slots.
            values: the same.
            mask: bool `[pictures, 1, words, slots]`, or None.

        Returns:
            Float32 `[pictures, words, width]`.
        """
        words = states.shape[1]
        queries, keys[:, :, -words:], values[:, :, -words:] = split_three(self._together(states), self._heads)
        seen = scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        first, second = self._norms
        states = torch.layer_norm(self._joining(seen.transpose(1, 2).flatten(2)) + states, *first)
        inner = self._activation(self._widening(states))
        return torch.layer_norm(self._narrowing(inner) + states, *second)


def _norm(module: Any) -> tuple[Any, ...]:
    """What `torch.layer_norm` takes behind the states."""
    return (module.weight.numel(),), module.weight, module.bias, module.eps
