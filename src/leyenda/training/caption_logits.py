"""Which logits of a model's answer belong to which words, where its loss is not leyenda's own."""

from __future__ import annotations

import torch

from leyenda.models.caption_loss import NO_WORD


def logits_of_words(logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits that words are predicted with, and the words.

    Args:
        logits: float `[captions, positions, vocabulary]`; the captions' are the last ones of the positions.
        labels: int64 `[captions, length]`: the words, `NO_WORD` where none is to be predicted. Where the first of every
            caption is none, each position's logits are those of the next word.

    Returns:
        Float32 `[words, vocabulary]` and int64 `[words]`, caption by caption.

    >>> logits, labels = torch.randn(2, 3, 5), torch.tensor([[-100, 4, 2], [-100, 0, -100]])
    >>> found, words = logits_of_words(logits, labels)
    >>> words.tolist(), torch.equal(found, logits[[0, 0, 1], [0, 1, 0]])
    ([4, 2, 0], True)
    """
    logits = logits[:, -labels.shape[1] :]
    if (labels[:, 0] == NO_WORD).all():
        logits, labels = logits[:, :-1], labels[:, 1:]
    predicted = labels != NO_WORD
    return logits[predicted].float(), labels[predicted]
