"""Attention without a matrix of scores in memory, where the machine's kernels can do that."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from leyenda.kernels.attention import attention, can_attend, gradients_of_attention
from leyenda.models.dropout import chance_for, kept_elements, only

_MANY = 16
"""Queries of a tile. For fewer, keys and values are not laid out anew."""


def split_heads(states: torch.Tensor, heads: int) -> torch.Tensor:
    """`[batch, length, heads * width]` to `[batch, heads, length, width]`, without a copy."""
    batch, length, width = states.shape
    return states.view(batch, length, heads, width // heads).transpose(1, 2)


def split_three(together: torch.Tensor, heads: int) -> tuple[torch.Tensor, ...]:
    """Queries, keys and values, as `split_heads` gives each, of one product's `[batch, length, 3 * heads * width]`."""
    batch, length, _ = together.shape
    return together.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind()


def attend(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Softmax of scaled products times values, heads joined again.

    Args:
        queries: float `[batch, heads, asking, width]`.
        keys: float `[batch, heads, told, width]`.
        values: float `[batch, heads, told, width]`.
        mask: bool `[batch, 1, last, told]`: True where each of the last queries may look; queries before these look
            at the keys before theirs. None for everywhere.
        dropout: share of the weights that is set to zero.

    Returns:
        Float `[batch, asking, heads * width]`.
    """
    if queries.requires_grad and queries.device.type == "cpu":
        function = _InTiles if dropout < 1 and can_attend(queries, keys, values) else _WithScores
        seen: torch.Tensor = function.apply(queries, keys, values, mask, dropout)  # type: ignore[no-untyped-call]
        return seen.transpose(1, 2).flatten(2)
    if mask is None and not dropout:
        return attend_everywhere(queries, keys, values)
    before = 0 if mask is None else queries.shape[2] - mask.shape[2]
    if before:
        front, last = (slice(None, before), slice(before, None))
        of_front = attend(queries[:, :, front], keys[:, :, front], values[:, :, front], dropout=dropout)
        of_last = attend(queries[:, :, last], keys, values, mask=mask, dropout=dropout)
        return torch.cat([of_front, of_last], dim=1)
    seen = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=dropout)
    return seen.transpose(1, 2).flatten(2)


def attend_everywhere(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """As `attend` without mask, dropout and gradients: `[batch, asking, heads * width]`."""
    if queries.shape[2] >= _MANY and not queries.requires_grad and can_attend(queries, keys, values):
        seen, _ = attention(queries, keys, values)
    else:
        seen = functional.scaled_dot_product_attention(queries, keys, values)
    return seen.transpose(1, 2).flatten(2)


class _InTiles(torch.autograd.Function):
    """No matrix of scores in memory, by kernels of leyenda's own."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor | None,
        dropout: float,
    ) -> torch.Tensor:
        ctx.chance = chance_for(dropout)
        mask = None if mask is None else mask[:, 0]
        attended, logarithms = attention(queries, keys, values, mask, ctx.chance)
        ctx.save_for_backward(queries, keys, values, attended, logarithms, mask)
        return attended

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        *states, attended, logarithms, mask = ctx.saved_tensors
        gradients = gradients_of_attention(states, attended, gradient, logarithms, mask, ctx.chance)
        return *gradients, None, None


class _WithScores(torch.autograd.Function):
    """The matrix of scores written out: on a CPU the fused kernel's backward pass is far slower.

    Scales are multiplied into what is copied anyway: states whose heads lie one behind the other.
    """

    @staticmethod
    def forward(
        ctx: Any,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor | None,
        dropout: float,
    ) -> torch.Tensor:
        ctx.scale, ctx.times = queries.shape[-1] ** -0.5, 1 / (1 - dropout) if dropout < 1 else 0.0
        asking, told = _copied(queries, ctx.scale), _copied(keys)
        values_times = _copied(values, ctx.times)
        scores = torch.bmm(asking, told.transpose(1, 2))
        if mask is not None:
            _hide(scores.view(*queries.shape[:2], *scores.shape[1:]), mask)
        weights = torch.softmax(scores, dim=-1)
        kept = kept_elements(weights.shape, dropout, weights.dtype) if dropout else None
        left = weights if kept is None else only(weights, kept)
        ctx.save_for_backward(asking, told, values_times, weights, left, kept)
        return torch.bmm(left, values_times).view(queries.shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        asking, told, values, weights, left, kept = ctx.saved_tensors
        upstream = _copied(gradient)
        of_values = torch.bmm(left.transpose(1, 2), upstream)
        of_weights = torch.bmm(upstream, values.transpose(1, 2))
        if kept is not None:
            of_weights = only(of_weights, kept)
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_asking, of_told = torch.bmm(of_scores, told), torch.bmm(of_scores.transpose(1, 2), asking)
        batch = len(gradient)
        return (
            _joined(of_asking, batch, ctx.scale),
            _joined(of_told, batch),
            _joined(of_values, batch, ctx.times),
            None,
            None,
        )


def _copied(states: torch.Tensor, times: float = 1.0) -> torch.Tensor:
    """`[batch, heads, length, width]` to `[batch * heads, length, width]`, multiplied on the way."""
    copied = states.new_empty(states.shape)
    return (torch.mul(states, times, out=copied) if times != 1 else copied.copy_(states)).flatten(0, 1)


def _joined(states: torch.Tensor, batch: int, times: float = 1.0) -> torch.Tensor:
    """The way back, to a tensor in which the heads of a position lie side by side."""
    heads, length, width = len(states) // batch, *states.shape[1:]
    joined = states.new_empty(batch, length, heads, width).transpose(1, 2)
    parts = states.view(batch, heads, length, width)
    return torch.mul(parts, times, out=joined) if times != 1 else joined.copy_(parts)


def _hide(scores: torch.Tensor, mask: torch.Tensor) -> None:
    """In place: `[batch, heads, asking, told]` by the mask of `attend`."""
    last = mask.shape[2]
    scores[:, :, -last:].masked_fill_(~mask, float("-inf"))
    if last < scores.shape[2]:
        scores[:, :, :-last, -last:] = float("-inf")
