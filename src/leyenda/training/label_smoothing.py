"""Some probability for every word, in training: `training.label_smoothing_factor`.

The Trainer's own smoother reads logits that leyenda's code never makes, and not those that belong to captions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from leyenda.training.caption_logits import logits_of_words


def smooth_in_model(model: Any, factor: float) -> None:
    """Tell a model whose loss is leyenda's own."""
    if hasattr(model, "label_smoothing"):
        model.label_smoothing = factor


def smoothed(loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, factor: float) -> torch.Tensor:
    """The loss that `transformers` gives, mixed with that of a caption in which all words are as likely.

    Args:
        loss: mean cross-entropy of the words.
        logits: float `[captions, positions, vocabulary]`, as `logits_of_words` takes them.
        labels: int64 `[captions, length]`, as `logits_of_words` takes them.
        factor: share of all words together, in [0, 1).

    Returns:
        Float scalar.

    >>> logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 4, 2], [3, 0, -100]])
    >>> usual = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    >>> expected = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1)
    >>> torch.allclose(smoothed(usual, logits, labels, 0.1), expected)
    True
    """
    found, _ = logits_of_words(logits, labels)
    return (1 - factor) * loss - factor * functional.log_softmax(found, dim=-1).mean()
