"""Gradients made no longer than they may be, without a pass over them where the optimizer divides them anyway.

Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks", arXiv:1211.5063.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_LEAST = 1e-6
"""Added to the norm, as `torch.nn.utils.clip_grad_norm_` does."""


def clip(model: nn.Module, optimizer: Any, norm: torch.Tensor, most: float) -> None:
    """Have the optimizer's next step, or the gradients at once, be of gradients whose norm is `most`, or smaller.

    Args:
        model: has the gradients.
        optimizer: whose next step it is; fused Adams of torch divide by a number that they are told.
        norm: float32 scalar: that of the gradients.
        most: what it may be.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.grad = torch.tensor([[4.0]])
    >>> optimizer = torch.optim.SGD(layer.parameters())
    >>> clip(layer, optimizer, torch.tensor(4.0), 1.0)
    >>> layer.weight.grad.item()
    0.9999997615814209
    """
    inner = getattr(optimizer, "optimizer", optimizer)
    divided = _divides(inner)
    excess = (norm + _LEAST) / most
    if divided:
        inner.grad_scale = excess if excess > 1 else None
    elif excess > 1:
        gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
        torch._foreach_div_(gradients, excess)


def _divides(optimizer: Any) -> bool:
    """Whether the optimizer divides gradients by its `grad_scale`: it is made for numbers of 16 bits."""
    return isinstance(optimizer, torch.optim.Adam | torch.optim.AdamW) and all(
        group.get("fused") for group in optimizer.param_groups
    )
