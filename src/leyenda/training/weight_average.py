"""A running mean of the weights, which captions better than the weights of any one step where there is little data.

Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging", SIAM Journal on Control and
Optimization 30(4); the exponential form of Tarvainen and Valpola 2017, "Mean teachers are better role models",
arXiv:1703.01780.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

TRAINED_WEIGHTS = "trained_weights.safetensors"
"""In a checkpoint, the weights that training goes on from; its model has their mean."""


class WeightAverage(TrainerCallback):  # type: ignore[misc]
    """The mean of a model's trained weights; the younger a step, the more it counts.

    Args:
        model: its weights are followed.
        kept: share of the mean that stays at each step, in [0, 1); smaller in the first steps, and nothing in the very
            first, so that weights from before are forgotten.
    """

    def __init__(self, model: torch.nn.Module, kept: float) -> None:
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._mean = {name: weight.detach().clone() for name, weight in self._weights.items()}
        self._kept = kept

    @torch.no_grad()
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Let the step's weights into the mean."""
        kept = min(self._kept, (state.global_step - 1) / (state.global_step + 8))
        for name, weight in self._weights.items():
            self._mean[name].lerp_(weight, 1 - kept)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the block the model has the mean for its weights."""
        self._change_places()
        try:
            yield
        finally:
            self._change_places()

    @torch.no_grad()
    def _change_places(self) -> None:
        for name, weight in self._weights.items():
            mean = self._mean[name]
            kept = mean.clone()
            mean.copy_(weight)
            weight.copy_(kept)

    def save(self, folder: Path) -> None:
        """Write the weights that are trained; the mean is what the checkpoint's model has."""
        save_file(
            {name: weight.detach().contiguous() for name, weight in self._weights.items()},
            folder / TRAINED_WEIGHTS,
        )

    @torch.no_grad()
    def load(self, folder: Path) -> None:
        """Go on from a checkpoint whose model has just been read: its weights are the mean, and these are trained."""
        trained = load_file(folder / TRAINED_WEIGHTS)
        for name, weight in self._weights.items():
            self._mean[name].copy_(weight)
            weight.copy_(trained[name])
