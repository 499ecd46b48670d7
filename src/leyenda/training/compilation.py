"""`torch.compile` for the steps that are still to come, when they are so many that its warm-up pays.

Ansel et al. 2024, "PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph
Compilation", ASPLOS.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import TrainerCallback

from leyenda.models.git_training import GitForCausalLM

WARM_UP = 20
"""Steps before the clock starts: the first ones also fill caches and choose kernels."""

WATCHED = 20
"""Steps by which the pace is told."""

SAME_LENGTHS = 16
"""Tokens to a multiple of which captions are filled up."""

WORTH_IT = 30 * 60.0
"""Seconds of training left from which compiling pays: on an H200 it took a minute for a shape and saved a quarter to a
third of a step."""


class CompiledWhenItPays(TrainerCallback):  # type: ignore[misc]
    """Compiles a GIT on an NVIDIA GPU once it is seen that much training is left.

    Args:
        talk: is told in one line.
        pictures: how many a full piece of a step has, asked when it is time.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        talk: Callable[[str], None],
        pictures: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._talk = talk
        self._pictures = pictures
        self._clock = clock
        self._started = 0.0
        self._steps = 0

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Watch the pace, and decide once."""
        self._steps += 1
        if self._steps == WARM_UP:
            self._started = self._clock()
        if self._steps != WARM_UP + WATCHED or not can_be_compiled(model):
            return
        left = (state.max_steps - state.global_step) * (self._clock() - self._started) / WATCHED
        if left >= WORTH_IT:
            self._talk(
                f"About {left / 60:.0f} minutes of training are left: the model is compiled now (torch.compile), "
                "which takes a minute or more and makes each step faster."
            )
            compile_network(model, self._pictures())


def can_be_compiled(model: Any) -> bool:
    """Whether it is what compiling was seen to pay for, the fast GIT on an NVIDIA GPU, and a C compiler is there."""
    return (
        isinstance(model, GitForCausalLM)
        and model.device.type == "cuda"
        and any(shutil.which(name) for name in ("cc", "gcc", "clang"))
    )


def compile_network(model: GitForCausalLM, pictures: int, backend: str = "inductor") -> None:
    """Let `torch.compile` have the two towers, for pieces of so many pictures; others are computed as before.

    Code is made for each shape by itself. That there are few shapes, captions are filled up to a multiple of
    `SAME_LENGTHS` tokens. Should compiling fail at some operation, that one is computed as before.

    Args:
        model: changed in place; its weights and their names stay.
        pictures: of a full piece.
        backend: of `torch.compile`.
    """
    from torch import _dynamo

    _dynamo.config.suppress_errors = True
    plain = model.states_to_learn_from
    compiled = torch.compile(plain, dynamic=False, backend=backend)

    def states(
        pixel_values: torch.Tensor | None,
        image_features: torch.Tensor | None,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None,
        seen: torch.Tensor,
    ) -> torch.Tensor:
        if len(input_ids) != pictures:
            return plain(pixel_values, image_features, input_ids, position_ids, seen)
        length = input_ids.shape[1]
        more = -length % SAME_LENGTHS
        # What is filled up sees the image and nothing else, and nothing sees it.
        ids = functional.pad(input_ids, (0, more))
        places = None if position_ids is None else functional.pad(position_ids, (0, more))
        wider = functional.pad(seen, (0, more, 0, more))
        whole: torch.Tensor = compiled(pixel_values, image_features, ids, places, wider)
        return whole[:, :length]

    model.states_to_learn_from = states  # type: ignore[method-assign]
