"""Words drawn at random, with the luck of each picture its own: the batch it stands in does not change it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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
        draws: rows of each picture, one behind the other; each has a chance of its own.
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
        return self._drawn(logits)

    def _drawn(self, logits: torch.Tensor) -> torch.Tensor:
        exponential = torch.empty(logits.shape, dtype=torch.float32)
        for row, generator in zip(exponential, self._generators, strict=True):
            row.exponential_(generator=generator)
        # Minus the logarithm of an exponential variable is a Gumbel variable.
        return logits - exponential.to(logits.device).log()

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows only."""
        self._generators = [self._generators[row] for row in rows.tolist()]


class ChoiceOfMany(RandomChoice):
    """As `RandomChoice`, with a single random number for a word: the word at which the sum of probabilities passes it.

    With a number for every word of the vocabulary, the draws of a whole training step take longer than its model does
    on a GPU. What a seed gives is not what `RandomChoice` makes of it.
    """

    def _drawn(self, logits: torch.Tensor) -> torch.Tensor:
        luck = torch.cat([torch.rand(1, generator=generator) for generator in self._generators])
        passed = logits.softmax(dim=1).cumsum(dim=1)
        # What rounding leaves of 1 at the end is the whole: no word without probability may come behind it.
        chosen = torch.searchsorted(passed, luck.to(passed)[:, None] * passed[:, -1:], right=True)
        return torch.zeros_like(logits).scatter_(1, chosen.clamp(max=logits.shape[1] - 1), 1.0)


def random_choice(
    images: torch.Tensor, temperature: float, top_p: float, seed: int, draws: int = 1
) -> RandomChoice:
    """The kind that suits so many draws of each picture; the arguments are those of `RandomChoice`."""
    kind = RandomChoice if draws == 1 else ChoiceOfMany
    return kind(images, temperature, top_p, seed, draws)


def _seeds_of(image: torch.Tensor, seed: int, draws: int) -> Iterator[int]:
    of_picture = hashlib.blake2b(str(seed).encode(), digest_size=8)
    of_picture.update(image.contiguous().numpy().tobytes())
    for draw in range(draws):
        digest = of_picture.copy()
        if draw:
            digest.update(str(draw).encode())
        yield int.from_bytes(digest.digest(), "little", signed=True)
