"""Which values `transformers.TrainingArguments` can work with: it takes nearly any, and fails hours later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leyenda.errors import near

Range = tuple[str, Callable[[float], bool]]

_ABOVE_0: Range = ("a number above 0", lambda value: 0 < value < float("inf"))
_FROM_0: Range = ("a number from 0 up", lambda value: 0 <= value < float("inf"))
_WHOLE_FROM_1: Range = ("a whole number from 1 up", lambda value: value >= 1 and int(value) == value)
_WHOLE_FROM_0: Range = ("a whole number from 0 up", lambda value: value >= 0 and int(value) == value)
_BELOW_1: Range = ("a number from 0 up to less than 1", lambda value: 0 <= value < 1)
_SEED: Range = (
    "a whole number from 0 to 4294967295",
    lambda value: 0 <= value < 2**32 and int(value) == value,
)

_RANGES: Mapping[str, Range] = {
    "learning_rate": _FROM_0,
    "num_train_epochs": _ABOVE_0,
    "per_device_train_batch_size": _WHOLE_FROM_1,
    "per_device_eval_batch_size": _WHOLE_FROM_1,
    "gradient_accumulation_steps": _WHOLE_FROM_1,
    "save_total_limit": _WHOLE_FROM_1,
    "eval_steps": _ABOVE_0,
    "save_steps": _ABOVE_0,
    "logging_steps": _ABOVE_0,
    "warmup_steps": _FROM_0,
    "weight_decay": _FROM_0,
    "adam_beta1": _BELOW_1,
    "adam_beta2": _BELOW_1,
    "adam_epsilon": _FROM_0,
    "label_smoothing_factor": _BELOW_1,
    "dataloader_num_workers": _WHOLE_FROM_0,
    "max_grad_norm": _FROM_0,
    "seed": _SEED,
    "data_seed": _SEED,
}


def with_no(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the word `no` where YAML has made false of it.

    >>> with_no({"eval_strategy": False, "seed": 1})
    {'eval_strategy': 'no', 'seed': 1}
    """
    choices = _choices()
    return {
        name: "no" if value is False and "no" in choices.get(name, ()) else value
        for name, value in given.items()
    }


def wrong_value(name: str, value: Any, default: Any) -> str:
    """What is wrong with one value, and what it can be; empty when nothing is.

    Args:
        name: a field of `TrainingArguments`.
        value: the recipe's value for it.
        default: leyenda's or the field's own default, which tells the kind.
    """
    said = f"The recipe's 'training.{name}' is {value!r}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else f"{said}: use true or false."
    if name == "per_device_train_batch_size" and value == "auto":
        return ""
    if isinstance(default, int | float) and not is_number:
        return f"{said}, which is not a number."
    if is_number and name in _RANGES:
        words, fits = _RANGES[name]
        return "" if fits(value) else f"{said}: it must be {words}."
    choices = _choices().get(name)
    if choices and getattr(value, "value", value) not in choices:
        return f"{said}. {near(str(value), choices) or 'It can be: ' + ', '.join(choices) + '.'}"
    return _wrong_reports(value) if name == "report_to" else ""


def wrong_together(settings: Mapping[str, Any]) -> str:
    """What is wrong with values that are right each by itself; empty when nothing is.

    Args:
        settings: the recipe's values with leyenda's defaults.
    """
    if not settings["load_best_model_at_end"] or settings["save_strategy"] == "best":
        return ""
    evaluated, saved = settings["eval_strategy"], settings["save_strategy"]
    if evaluated != saved:
        return (
            f"The recipe's 'training.eval_strategy' is {evaluated!r} and 'training.save_strategy' {saved!r}: make "
            "them the same, for the best checkpoint must be a saved one, or set training.load_best_model_at_end=false."
        )
    steps, save_steps = settings["eval_steps"], settings["save_steps"]
    if evaluated == "steps" and min(steps, save_steps) >= 1 and save_steps % steps:
        return (
            f"The recipe's 'training.save_steps' is {save_steps}: it must be a multiple of 'training.eval_steps', "
            f"{steps}, for the best checkpoint must be a saved one."
        )
    return ""


def _choices() -> Mapping[str, list[str]]:
    """The fields that take one word of a list."""
    from transformers.trainer_utils import IntervalStrategy, SaveStrategy, SchedulerType
    from transformers.training_args import OptimizerNames

    kinds = {
        "eval_strategy": IntervalStrategy,
        "logging_strategy": IntervalStrategy,
        "save_strategy": SaveStrategy,
        "lr_scheduler_type": SchedulerType,
        "optim": OptimizerNames,
    }
    return {name: [one.value for one in kind] for name, kind in kinds.items()}


def _wrong_reports(value: Any) -> str:
    from transformers.integrations.integration_utils import (
        INTEGRATION_TO_CALLBACK,
        get_available_reporting_integrations,
    )

    there = get_available_reporting_integrations()
    for name in [value] if isinstance(value, str) else value or ():
        if name in ("none", "all") or name in there:
            continue
        if name not in INTEGRATION_TO_CALLBACK:
            known = ["none", "all", *INTEGRATION_TO_CALLBACK]
            hint = near(str(name), known) or f"It can be: {', '.join(known)}."
            return f"The recipe's 'training.report_to' names {name!r}, which is not known. {hint}"
        return f"The recipe's 'training.report_to' names {name!r}, which is not installed. Type: pip install {name}"
    return ""
