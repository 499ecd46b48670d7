"""leyenda's defaults for `transformers.TrainingArguments`, and a check of every name and value a recipe gives."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leyenda.errors import MissingExtra, RecipeError, near
from leyenda.training.argument_values import with_no, wrong_together, wrong_value

AUTO = "auto"
"""As `per_device_train_batch_size`: as many pictures at a time as memory holds."""

GUIDE_DEFAULTS: Mapping[str, Any] = {
    "learning_rate": 5e-5,
    "num_train_epochs": 50,
    "per_device_train_batch_size": 32,
    "per_device_eval_batch_size": 32,
    "gradient_accumulation_steps": 2,
    "eval_strategy": "steps",
    "eval_steps": 50,
    "save_strategy": "steps",
    "save_steps": 50,
    "logging_steps": 50,
    "save_total_limit": 3,
    "load_best_model_at_end": True,
}
"""What the usual guide sets, and people expect."""

NEW_MODEL_LEARNING_RATE = 5e-4
"""In place of the guide's where the model is a new one: with that, which is for trained weights, small data ends before
a new model has learnt to say two different things."""

RESERVED: Mapping[str, str] = {
    "output_dir": "Use --output.",
    "resume_from_checkpoint": "Use --resume.",
    "push_to_hub": "Use --push-to REPO.",
    "hub_model_id": "Use --push-to REPO.",
    "hub_token": "Log in with: hf auth login",
    "hub_strategy": "The model is pushed once, at the end, with --push-to REPO.",
    "metric_for_best_model": "Use evaluation.metric.",
    "greater_is_better": "It follows from evaluation.metric.",
    "remove_unused_columns": "leyenda makes the batches itself.",
    "label_names": "leyenda makes the batches itself.",
    "ignore_data_skip": "A resumed run must see the same pictures.",
    "fsdp_config": "training.fsdp=true divides weights, gradients and optimizer state, layer by layer.",
    "auto_find_batch_size": "Use training.per_device_train_batch_size=auto.",
    "include_num_input_tokens_seen": "leyenda makes the batches itself.",
    "train_sampling_strategy": "leyenda makes the batches itself.",
    "length_column_name": "leyenda makes the batches itself.",
    "restore_callback_states_from_checkpoint": "A resumed run always restores them.",
    "do_train": "leyenda train always trains.",
    "do_eval": "Use training.eval_strategy=no to leave out the evaluations during training.",
    "do_predict": "Use: leyenda caption",
    "parallelism_config": "Use training.fsdp=true to divide the model over processes.",
    "deepspeed": "Use training.fsdp=true to divide the model over processes.",
}
"""Arguments that leyenda decides itself, and what to use in their place."""


def training_arguments(
    given: Mapping[str, Any],
    folder: Path,
    *,
    metric: str,
    lower_is_better: bool,
    precision: str,
    use_cpu: bool,
) -> Any:
    """The `TrainingArguments` of a run; its batch is a process's part of an optimizer step, without accumulation.

    What the recipe's batch size and accumulation make together is what each process has of an optimizer step. How
    many pictures of it are computed at a time is `pictures_at_a_time`.

    Args:
        given: the recipe's `training` part: any field of `TrainingArguments` by its name.
        folder: where checkpoints go.
        metric: name of the score that decides which checkpoint is best.
        lower_is_better: whether a lower score is better.
        precision: `fp32`, `bf16` or `fp16`, unless `given` says otherwise.
        use_cpu: whether to train on the CPU even where there is a GPU.

    Raises:
        RecipeError: an unknown or reserved name (all at once), or a value that `TrainingArguments`, the optimizer or
            the schedule refuses.
        MissingExtra: accelerate is not installed.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise MissingExtra("Training", "train")
    from transformers import TrainingArguments

    check_names(given)
    given = with_no(given)
    machine = {
        "report_to": _default_reports(),
        "use_cpu": use_cpu,
        "dataloader_pin_memory": not use_cpu,
        # From pinned memory a batch is copied to the GPU while the one before is computed.
        "accelerator_config": {"non_blocking": not use_cpu},
        # The Trainer hides a loss that is no number, and to see one it waits for the GPU in every step. Only fp16 goes
        # on after one: its scaler skips the step.
        "logging_nan_inf_filter": precision == "fp16",
    }
    settings = {**_with_defaults(given), **machine, **given}
    settings["per_device_train_batch_size"] = pictures_per_process(given)
    settings["gradient_accumulation_steps"] = 1
    settings.pop("fsdp", None)  # leyenda shards itself, on a CPU too
    if "bf16" not in given and "fp16" not in given:
        settings |= {"bf16": precision == "bf16", "fp16": precision == "fp16"}
    try:
        arguments = TrainingArguments(
            **settings,
            output_dir=str(folder),
            metric_for_best_model=metric,
            greater_is_better=not lower_is_better,
            remove_unused_columns=False,
            label_names=["labels"],
            restore_callback_states_from_checkpoint=True,
        )
        _try_out(arguments)
    # Whatever goes wrong in there comes from the recipe's values, which go in as they are.
    except Exception as error:
        words = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        reason = " ".join(words.split()).rstrip(".")
        raise RecipeError(
            f"The recipe's training part does not work: {reason}.", "Change or leave out that value."
        ) from error
    # A process has one GPU: where there are more, the Trainer would copy the model to each of them in every step.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _try_out(arguments: Any) -> None:
    """Make the optimizer and the schedule for one weight: what they refuse is said before the data is read."""
    import torch
    from transformers import Trainer, get_scheduler

    weight = torch.nn.Parameter(torch.zeros(1))
    if not arguments.optim_target_modules:  # those name layers of the model itself
        kind, settings = Trainer.get_optimizer_cls_and_kwargs(arguments, torch.nn.Identity())
        optimizer = kind([weight], **settings)
    else:
        optimizer = torch.optim.SGD([weight], lr=0.0)
    get_scheduler(
        arguments.lr_scheduler_type,
        optimizer,
        num_warmup_steps=arguments.get_warmup_steps(10),
        num_training_steps=10,
        scheduler_specific_kwargs=arguments.lr_scheduler_kwargs,
    )


def pictures_at_a_time(given: Mapping[str, Any]) -> int | None:
    """The batch size that the recipe names; None for `auto`, and where it names none.

    >>> pictures_at_a_time({"per_device_train_batch_size": 8}), pictures_at_a_time({})
    (8, None)
    """
    named = given.get("per_device_train_batch_size", AUTO)
    return None if named == AUTO else int(named)


def pictures_per_process(given: Mapping[str, Any]) -> int:
    """Batch size times accumulation: the pictures that each process has of an optimizer step.

    >>> pictures_per_process({}), pictures_per_process({"per_device_train_batch_size": 8})
    (64, 16)
    """
    usual = GUIDE_DEFAULTS["per_device_train_batch_size"]
    accumulation = given.get("gradient_accumulation_steps", GUIDE_DEFAULTS["gradient_accumulation_steps"])
    return int(pictures_at_a_time(given) or usual) * int(accumulation)


def check_names(given: Mapping[str, Any]) -> None:
    """Refuse names that `TrainingArguments` does not have or that leyenda decides, and values that do not work.

    Raises:
        RecipeError: with every such name and value, and near ones.
    """
    from transformers import TrainingArguments

    known = {field.name: field for field in dataclasses.fields(TrainingArguments) if field.init}
    problems = []
    for name, value in with_no(given).items():
        if name in RESERVED:
            problems.append(f"The recipe cannot set 'training.{name}'. {RESERVED[name]}")
        elif name not in known:
            hint = near(str(name), set(known) - set(RESERVED)) or "See transformers.TrainingArguments."
            problems.append(f"The recipe has no 'training.{name}'. {hint}")
        elif problem := wrong_value(name, value, GUIDE_DEFAULTS.get(name, known[name].default)):
            problems.append(problem)
    if not problems and (problem := wrong_together(_with_defaults(with_no(given)))):
        problems.append(problem)
    if problems:
        raise RecipeError(" ".join(problems))


def _with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**GUIDE_DEFAULTS, **_following(given), **given}


def _following(given: Mapping[str, Any]) -> dict[str, Any]:
    """Saving follows evaluation unless it is set too, because the best checkpoint has to be a saved one."""
    followers = {"save_strategy": "eval_strategy", "save_steps": "eval_steps"}
    following = {name: given[leader] for name, leader in followers.items() if leader in given}
    if given.get("eval_strategy") == "no" and "load_best_model_at_end" not in given:
        following |= {"load_best_model_at_end": False, "save_strategy": "steps"}
    return following


def _default_reports() -> list[str]:
    return ["tensorboard"] if importlib.util.find_spec("tensorboard") else []
