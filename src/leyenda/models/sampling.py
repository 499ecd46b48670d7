"""Words drawn at random, with the luck of each picture its own: the batch it stands in does not change it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch


class RandomChoice:
    """Changes logits so that the greatest is a random draw by their probability.

    The greatest of logits with independent Gumbel noise added is a draw from their softmax (Gumbel 1954;
    Maddison et al. 2014, arXiv:1411.0030). The noise of a row comes from the seed, that row's picture, and which of
    the picture's draws it is.

    Args:
        images: float tensor `[pictures, ...]`: the pictures, as the model gets them.
        temperature: below 1 is more careful, above 1 more varied.
        top_p: keep only the most probable words that together reach this probability.
        seed: another seed, another draw.
        draws: rows of each picture, one behind the other. The first of them is what a single draw would be.
    """

    def __init__(
        self, images: torch.Tensor, temperature: float, top_p: float, seed: int, draws: int = 1
    ) -> None:
        from transformers import TemperatureLogitsWarper, TopPLogitsWarper

        self._generators = [
            torch.Generator().manual_seed(own)
            for image in images.detach().float().cpu()
            for own in _seeds_of(image, seed, draws)
        ]
        self._rules: list[Any] = [TemperatureLogitsWarper(temperature)] if temperature != 1.0 else []
        self._rules += [TopPLogitsWarper(top_p)] if top_p < 1.0 else []

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Float tensor `[rows, vocabulary]` to the same shape."""
        for rule in self._rules:
            logits = rule(None, logits)
        exponential = torch.empty(logits.shape, dtype=torch.float32)
        for row, generator in zip(exponential, self._generators, strict=True):
            row.exponential_(generator=generator)
        # Minus the logarithm of an exponential variable is a Gumbel variable.
        return logits - exponential.to(logits.device).log()

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows only."""
        self._generators = [self._generators[row] for row in rows.tolist()]


def _seeds_of(image: torch.Tensor, seed: int, draws: int) -> Iterator[int]:
    of_picture = hashlib.blake2b(str(seed).encode(), digest_size=8)
    of_picture.update(image.contiguous().numpy().tobytes())
    for draw in range(draws):
        digest = of_picture.copy()
        if draw:
            digest.update(str(draw).encode())
        yield int.from_bytes(digest.digest(), "little", signed=True)
