"""Logits of a whole vocabulary at the price of short numbers: the likely words exactly, all others nearly.

At every step of a search each row of the vocabulary's weights is read for one number, and nearly all of these numbers
are those of words that nobody would choose. So all are found in whole numbers of 8 bits first, and those of the best
words once more from the weights themselves (Shim et al. 2017, "SVD-softmax: Fast Softmax Approximation on Large
Vocabulary Neural Networks", NeurIPS, which looks ahead by narrower weights instead of shorter ones).
"""

from __future__ import annotations

import torch
from torch import nn

from leyenda.models.int8 import Int8Linear, StateQuantizer

CANDIDATES = 32
"""Words of each row whose logits are exact. The others are off by about a hundredth of the logits' own spread, and the
32nd word is a whole spread behind the first where the model has no preference at all."""


class ScreenedVocabulary(nn.Module):
    """In the place of the linear layer that finds the logits; it can neither be trained nor saved.

    Args:
        vocabulary: the layer, float32, on a CPU for which `leyenda.models.int8.check_int8` has no objection.
    """

    def __init__(self, vocabulary: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = vocabulary.in_features, vocabulary.out_features
        self.weight = vocabulary.weight
        self.bias = vocabulary.bias
        self._all = Int8Linear(vocabulary, StateQuantizer(), torch.float32)
        self._candidates = min(CANDIDATES, vocabulary.out_features)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Float32 `[rows, width]` to logits, float32 `[rows, vocabulary]`."""
        logits: torch.Tensor = self._all(states)
        best = logits.topk(self._candidates, dim=1, sorted=False).indices
        exact = (self.weight[best] @ states[..., None])[..., 0]
        if self.bias is not None:
            exact += self.bias[best]
        return logits.scatter_(1, best, exact)
