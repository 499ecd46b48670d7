"""A decoder layer's share of a step of a search, its products packed, without the modules between them.

For a single word the calls of modules take a sixth of a step's time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention


class PackedLayer:
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
        # Their `forward`: a call of a module takes longer, and there are no hooks to run.
        self._together, self._joining = own.together.forward, narrow.dense.forward
        self._widening, self._narrowing = wide.dense.forward, final.dense.forward
        self._activation = wide.intermediate_act_fn
        self._norms = [
            ((norm.weight.numel(),), norm.weight, norm.bias, norm.eps)
            for norm in (narrow.LayerNorm, final.LayerNorm)
        ]

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
        pictures, words, _ = states.shape
        three = self._together(states.bfloat16()).view(pictures, words, 3, self._heads, -1)
        queries, keys[:, :, -words:], values[:, :, -words:] = three.permute(2, 0, 3, 1, 4).unbind()
        seen = scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        first, second = self._norms
        states = torch.layer_norm(self._joining(seen.transpose(1, 2).flatten(2)) + states, *first)
        inner = self._activation(self._widening(states.bfloat16()))
        return torch.layer_norm(self._narrowing(inner) + states, *second)
