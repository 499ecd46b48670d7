"""A recipe with nothing left to defaults or to the folder in which the command was typed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from leyenda.config import Recipe
from leyenda.training.argument_values import with_no
from leyenda.training.arguments import AUTO, GUIDE_DEFAULTS, NEW_MODEL_LEARNING_RATE

_FOLLOW_OTHERS = ("save_strategy", "save_steps", "load_best_model_at_end")
"""They follow `eval_strategy` and `eval_steps`. Were they named, a repetition of the run that evaluates at other steps
would have to name them as well."""

_TRAINERS_OWN = (
    "seed",
    "optim",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
)
"""Defaults of `TrainingArguments` that decide a run's weights, and that another version might change."""

_PATTERN = "*?[{"


def resolved(recipe: Recipe) -> Recipe:
    """The recipe that repeats the run, in any folder and with any later version's defaults.

    Args:
        recipe: whose names and values have been checked.

    Returns:
        One with the folders of this machine by their whole names, and a `training` part that names what decides
        the weights. Resolving it again changes nothing.

    >>> resolved(Recipe()).training["learning_rate"]
    5e-05
    """
    data = recipe.data.model_copy(
        update={
            "source": _whole_name(recipe.data.source),
            "image_root": recipe.data.image_root and os.path.abspath(recipe.data.image_root),
        }
    )
    model = recipe.model
    if model.from_scratch is None and model.name != "demo" and Path(model.name).is_dir():
        model = model.model_copy(update={"name": os.path.abspath(model.name)})
    return recipe.model_copy(update={"data": data, "model": model, "training": _training(recipe)})


def _training(recipe: Recipe) -> dict[str, Any]:
    from transformers import TrainingArguments

    given = with_no(recipe.training)
    theirs = {field.name: field.default for field in dataclasses.fields(TrainingArguments)}
    usual = {name: value for name, value in GUIDE_DEFAULTS.items() if name not in _FOLLOW_OTHERS}
    usual |= {name: getattr(theirs[name], "value", theirs[name]) for name in _TRAINERS_OWN}
    # The guide's 32 pictures are what a step is made of; how many of them are computed at a time is another matter.
    usual["per_device_train_batch_size"] = AUTO
    if recipe.model.from_scratch is not None:
        usual["learning_rate"] = NEW_MODEL_LEARNING_RATE
    return usual | given


def _whole_name(source: str) -> str:
    """Absolute, if it is a file, a folder or a pattern of such on this machine; a hub id stays."""
    is_pattern = any(sign in source for sign in _PATTERN) and "://" not in source
    return os.path.abspath(source) if source and (is_pattern or Path(source).exists()) else source
