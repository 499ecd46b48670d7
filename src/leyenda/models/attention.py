"""Attention without a matrix of scores in memory, where the machine's kernels can do that."""

from __future__ import annotations

import torch
from torch.nn import functional

from leyenda.models.dropout import drop


def split_heads(states: torch.Tensor, heads: int) -> torch.Tensor:
    """`[batch, length, heads * width]` to `[batch, heads, length, width]`, without a copy."""
    batch, length, width = states.shape
    return states.view(batch, length, heads, width // heads).transpose(1, 2)


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
        mask: bool `[batch, 1, asking, told]`: True where a query may look; None for everywhere.
        dropout: share of the weights that is set to zero.

    Returns:
        Float `[batch, asking, heads * width]`.
    """
    if queries.requires_grad and queries.device.type == "cpu":
        seen = _with_scores(queries, keys, values, mask, dropout)
    else:
        seen = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, dropout_p=dropout
        )
    return seen.transpose(1, 2).flatten(2)


def _with_scores(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
) -> torch.Tensor:
    """As `attend`, the matrix of scores written out: on a CPU the fused kernel's backward pass is far slower."""
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = functional.softmax(scores, dim=-1)
    return drop(weights, dropout) @ values
