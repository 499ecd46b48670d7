"""Cross-entropy of the words, straight from the decoder's states: the logits never stand in memory as a whole."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from leyenda.models.trained_product import weight_gradient

NO_WORD = -100
"""In the place of a word where none is to be predicted, as in `torch.nn.functional.cross_entropy`."""

ROWS_AT_A_TIME = 512
"""Words whose logits exist at once: 512 x 30,522 in float32 are 60 MB."""


def caption_loss(
    states: torch.Tensor,
    vocabulary: torch.nn.Linear,
    targets: torch.Tensor,
    divisor: torch.Tensor | float | None = None,
    smoothing: float = 0.0,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sum of the words' cross-entropy over `divisor`, as `cross_entropy(vocabulary(states), targets)` gives it.

    The gradient is computed along with the loss, a few rows at a time, so that only one slice of
    `[words, vocabulary]` is in memory. Under autocast the matrix products are in its number format and the
    softmax is in float32.

    Args:
        states: float tensor `[words, width]`.
        vocabulary: from states to logits.
        targets: int64 tensor `[words]`: the word that follows each state, or `NO_WORD`.
        divisor: what the sum is divided by; None takes the number of words (1 when there are none).
        smoothing: share of each word's probability that all words get alike, in [0, 1): Szegedy et al. 2016,
            "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567.
        weights: float tensor `[words]`: what each word's cross-entropy is multiplied by; None counts all alike.

    Returns:
        Float32 scalar.

    >>> vocabulary = torch.nn.Linear(4, 9)
    >>> states, targets = torch.randn(3, 4), torch.tensor([0, 5, 8])
    >>> expected = functional.cross_entropy(vocabulary(states), targets)
    >>> torch.allclose(caption_loss(states, vocabulary, targets), expected)
    True
    """
    if divisor is None:
        divisor = (targets != NO_WORD).sum().clamp(min=1)
    arguments = (
        states,
        vocabulary.weight,
        vocabulary.bias,
        targets,
        divisor,
        smoothing,
        weights,
        torch.is_grad_enabled(),
    )
    loss: torch.Tensor = _CaptionLoss.apply(*arguments)  # type: ignore[no-untyped-call]
    return loss


class _CaptionLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        divisor: torch.Tensor | float,
        smoothing: float,
        weights: torch.Tensor | None,
        with_gradient: bool,
    ) -> torch.Tensor:
        kind = states.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        learn_states, learn_weight, learn_bias = (
            with_gradient and needed for needed in ctx.needs_input_grad[:3]
        )
        matrix = weight.to(dtype)
        loss = torch.zeros((), dtype=torch.float32, device=states.device)
        of_states = torch.empty_like(states) if learn_states else None
        of_weight = None
        wide = torch.promote_types(weight.dtype, torch.float32)  # what sums over slices are kept in
        of_bias = weight.new_zeros(len(weight), dtype=wide) if learn_bias and bias is not None else None
        for first in range(0, len(targets), ROWS_AT_A_TIME):
            rows = slice(first, first + ROWS_AT_A_TIME)
            part, words = states[rows].to(dtype), targets[rows, None].clamp(min=0)
            counted = (targets[rows, None] != NO_WORD).to(torch.float32)
            if weights is not None:
                counted *= weights[rows, None]
            logits = functional.linear(part, matrix, None if bias is None else bias.to(dtype)).float()
            normalizer = logits.logsumexp(dim=1, keepdim=True)
            wanted = (1 - smoothing) * logits.gather(1, words)
            if smoothing:
                wanted += smoothing * logits.mean(dim=1, keepdim=True)
            loss += ((normalizer - wanted) * counted).sum()
            if not (learn_states or learn_weight or learn_bias):
                continue
            # Softmax minus the one right word is the gradient of the logits.
            gradient = logits.sub_(normalizer).exp_()
            gradient.scatter_add_(1, words, torch.full_like(normalizer, smoothing - 1.0))
            if smoothing:
                gradient -= smoothing / gradient.shape[1]
            gradient *= counted / divisor
            if of_bias is not None:
                of_bias += gradient.sum(dim=0)
            gradient = gradient.to(dtype)
            if of_states is not None:
                of_states[rows] = gradient @ matrix
            if learn_weight:
                # Filling a matrix of the vocabulary with zeros first would cost as much as the product.
                slice_of_weight = weight_gradient(gradient, part)
                of_weight = (
                    slice_of_weight
                    if of_weight is None
                    else of_weight.to(wide).add_(slice_of_weight.to(wide))
                )
        if learn_weight:
            of_weight = torch.zeros_like(weight) if of_weight is None else of_weight.to(weight.dtype)
        if of_bias is not None:
            of_bias = of_bias.to(weight.dtype)
        ctx.save_for_backward(of_states, of_weight, of_bias)
        return loss / divisor

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        # In place: for the vocabulary's gradient another matrix of its size would be fetched and filled.
        parts = (None if part is None else part.mul_(gradient) for part in ctx.saved_tensors)
        return *parts, None, None, None, None, None
