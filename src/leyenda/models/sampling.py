"""Words drawn at random, with the luck of each picture its own: the batch it stands in does not change it."""

from __future__ import annotations

import hashlib
from typing import Any

import torch


def random_choice(pixel_values: torch.Tensor, temperature: float, top_p: float, seed: int) -> list[Any]:
    """Logits processors that turn a greedy search into sampling.

    The greatest of logits with independent Gumbel noise added is a draw from their softmax (Gumbel 1954;
    Maddison et al. 2014, arXiv:1411.0030). The noise of a row comes from the seed and that row's picture.

    Args:
        pixel_values: float tensor `[batch, 3, height, width]`.
        temperature: below 1 is more careful, above 1 more varied.
        top_p: keep only the most probable words that together reach this probability.
        seed: another seed, another draw.
    """
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    generators = [
        torch.Generator().manual_seed(_seed_of(picture, seed))
        for picture in pixel_values.detach().float().cpu()
    ]
    rules: list[Any] = [TemperatureLogitsWarper(temperature)] if temperature != 1.0 else []
    rules += [TopPLogitsWarper(top_p)] if top_p < 1.0 else []
    return [*rules, _GumbelNoise(generators)]


def _seed_of(picture: torch.Tensor, seed: int) -> int:
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8)
    digest.update(picture.contiguous().numpy().tobytes())
    return int.from_bytes(digest.digest(), "little", signed=True)


class _GumbelNoise:
    """Adds noise to logits `[batch, vocabulary]`, each row from its own generator."""

    def __init__(self, generators: list[torch.Generator]) -> None:
        self._generators = generators

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        exponential = torch.empty(scores.shape, dtype=torch.float32)
        for row, generator in zip(exponential, self._generators, strict=True):
            row.exponential_(generator=generator)
        # Minus the logarithm of an exponential variable is a Gumbel variable.
        return scores - exponential.to(scores.device).log()
