"""Some probability for every word, in training: `training.label_smoothing_factor`.

The Trainer's own smoother reads logits that leyenda's code never makes, and not those that belong to captions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from leyenda.models.caption_loss import NO_WORD


def smooth_in_model(model: Any, factor: float) -> None:
    """Tell a model whose loss is leyenda's own."""
    if hasattr(model, "label_smoothing"):
        model.label_smoothing = factor


def smoothed(loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, factor: float) -> torch.Tensor:
    """The loss that `transformers` gives, mixed with that of a caption in which all words are as likely.

    Args:
        loss: mean cross-entropy of the words.
        logits: float `[captions, positions, vocabulary]`; the captions' are the last ones of the positions.
        labels: int64 `[captions, length]`: the words, `NO_WORD` where none is to be predicted. Where the first of every
            caption is none, each position's logits are those of the next word.
        factor: share of all words together, in [0, 1).

    Returns:
        Float scalar.

    >>> logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 4, 2], [3, 0, -100]])
    >>> usual = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    >>> expected = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1)
    >>> torch.allclose(smoothed(usual, logits, labels, 0.1), expected)
    True
    """
    logits = logits[:, -labels.shape[1] :]
    if (labels[:, 0] == NO_WORD).all():
        logits, labels = logits[:, :-1], labels[:, 1:]
    of_words = functional.log_softmax(logits[labels != NO_WORD].float(), dim=-1)
    return (1 - factor) * loss - factor * of_words.mean()
