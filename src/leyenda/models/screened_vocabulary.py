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
        self._for_one_row = _RowProduct(self._all) if has_tiles() else None

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Float32 `[rows, width]` to logits, float32 `[rows, vocabulary]`."""
        nearly = self._for_one_row if self._for_one_row is not None and len(states) == 1 else self._all
        logits: torch.Tensor = nearly(states)
        best = logits.topk(self._candidates, dim=1, sorted=False).indices
        exact = (self.weight[best] @ states[..., None])[..., 0]
        if self.bias is not None:
            exact += self.bias[best]
        return logits.scatter_(1, best, exact)


def has_tiles() -> bool:
    """Whether this CPU multiplies tiles (AMX)."""
    tiles: bool = getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return tiles


class _RowProduct:
    """What an `Int8Linear` gives, for a single row of states: its weights are the left factor, not the right one.

    Such a product takes the time in which its weights are read, and with AMX oneDNN reads a right factor more slowly.
    """

    def __init__(self, layer: Int8Linear) -> None:
        self._layer = layer
        self._weights: torch.Tensor | None = None

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Float32 `[1, width]` to float32 `[1, vocabulary]`."""
        if self._weights is None:  # only who captions pictures one by one needs the memory
            self._weights = self._layer.packed.to_dense().t().contiguous()
        scale = states.abs().amax().clamp_(min=1e-12) / 127
        whole = (states / scale).round_().to(torch.int8)
        sums = torch._int_mm(self._weights, whole.view(-1, 1))[:, 0]
        return torch.addcmul(self._layer.bias, sums.float(), self._layer.scale * scale)[None]
