"""Words drawn at random, with the luck of each picture its own: the batch it stands in does not change it."""

from __future__ import annotations

import hashlib
from typing import Any

import torch


class RandomChoice:
    """Changes logits so that the greatest is a random draw by their probability.

    The greatest of logits with independent Gumbel noise added is a draw from their softmax (Gumbel 1954;
    Maddison et al. 2014, arXiv:1411.0030). The noise of a row comes from the seed and that row's picture.

    Args:
        images: float tensor `[pictures, ...]`: the pictures, as the model gets them.
        temperature: below 1 is more careful, above 1 more varied.
        top_p: keep only the most probable words that together reach this probability.
        seed: another seed, another draw.
    """

    def __init__(self, images: torch.Tensor, temperature: float, top_p: float, seed: int) -> None:
        from transformers import TemperatureLogitsWarper, TopPLogitsWarper

        self._generators = [
            torch.Generator().manual_seed(_seed_of(image, seed)) for image in images.detach().float().cpu()
        ]
        self._rules: list[Any] = [TemperatureLogitsWarper(temperature)] if temperature != 1.0 else []
        self._rules += [TopPLogitsWarper(top_p)] if top_p < 1.0 else []

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Float tensor `[pictures, vocabulary]` to the same shape."""
        for rule in self._rules:
            logits = rule(None, logits)
        exponential = torch.empty(logits.shape, dtype=torch.float32)
        for row, generator in zip(exponential, self._generators, strict=True):
            row.exponential_(generator=generator)
        # Minus the logarithm of an exponential variable is a Gumbel variable.
        return logits - exponential.to(logits.device).log()

    def keep(self, pictures: torch.Tensor) -> None:
        """Go on with these pictures only."""
        self._generators = [self._generators[picture] for picture in pictures.tolist()]


def _seed_of(image: torch.Tensor, seed: int) -> int:
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8)
    digest.update(image.contiguous().numpy().tobytes())
    return int.from_bytes(digest.digest(), "little", signed=True)
