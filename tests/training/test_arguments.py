"""Anything that `TrainingArguments` has can be set; anything else is an error that lists near names."""

from dataclasses import fields

import pytest

from leyenda.errors import RecipeError
from leyenda.training.arguments import RESERVED, check_names, pictures_at_a_time, training_arguments


def build(given, tmp_path, **options):
    options = {"metric": "wer", "lower_is_better": True, "precision": "fp32", "use_cpu": True} | options
    return training_arguments(given, tmp_path, **options)


def test_defaults_are_the_guides(tmp_path):
    arguments = build({}, tmp_path)
    assert arguments.learning_rate == 5e-5
    assert arguments.num_train_epochs == 50
    assert arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps == 32 * 2
    assert (arguments.eval_steps, arguments.save_steps, arguments.logging_steps) == (50, 50, 50)
    assert arguments.save_total_limit == 3
    assert arguments.load_best_model_at_end
    assert (arguments.metric_for_best_model, arguments.greater_is_better) == ("wer", False)
    assert not arguments.push_to_hub


def test_anything_transformers_has_can_be_set(tmp_path):
    given = {
        "weight_decay": 0.1,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 7,
        "adam_beta2": 0.95,
        "max_steps": 9,
    }
    arguments = build(given, tmp_path)
    assert arguments.weight_decay == 0.1
    assert arguments.lr_scheduler_type == "cosine"
    assert (arguments.warmup_steps, arguments.adam_beta2, arguments.max_steps) == (7, 0.95, 9)


def test_every_field_is_accepted_or_says_what_to_use_instead():
    from transformers import TrainingArguments

    for field in fields(TrainingArguments):
        if not field.init:
            continue
        try:
            check_names({field.name: field.default})
        except RecipeError as error:
            assert field.name in RESERVED or "not a number" in str(error) or "true or false" in str(error), (
                field.name
            )
            assert RESERVED.get(field.name, "") in str(error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"learning_rat": 1}, "Did you mean 'learning_rate'?"),
        ({"epochs": 1, "sead": 2}, "Did you mean 'seed'?"),
        ({"output_dir": "x"}, "Use --output."),
        ({"push_to_hub": True}, "Use --push-to REPO."),
        ({"learning_rate": "fast"}, "'fast', which is not a number"),
        ({"num_train_epochs": True}, "True, which is not a number"),
        ({"load_best_model_at_end": "yes"}, "use true or false"),
        ({"eval_steps": 20, "save_steps": 50}, "'training.save_steps' is 50: it must be a multiple"),
        ({"lr_scheduler_type": "lineer"}, "Did you mean 'linear'"),
    ],
)
def test_wrong_names_and_values(given, words, tmp_path):
    with pytest.raises(RecipeError) as caught:
        build(given, tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_is_a_word(tmp_path):
    """YAML reads `training.eval_strategy=no` as false."""
    arguments = build({"eval_strategy": False}, tmp_path)
    assert arguments.eval_strategy == "no"
    assert not arguments.load_best_model_at_end


def test_saving_follows_evaluation(tmp_path):
    arguments = build({"eval_steps": 7}, tmp_path)
    assert arguments.save_steps == 7
    arguments = build({"eval_strategy": "epoch"}, tmp_path)
    assert arguments.save_strategy == "epoch"


@pytest.mark.parametrize(("precision", "expected"), [("bf16", (True, False)), ("fp32", (False, False))])
def test_precision(precision, expected, tmp_path):
    arguments = build({}, tmp_path, precision=precision)
    assert (arguments.bf16, arguments.fp16) == expected


@pytest.mark.parametrize(
    ("given", "step", "at_a_time"),
    [
        ({}, 64, None),
        ({"per_device_train_batch_size": "auto"}, 64, None),
        ({"per_device_train_batch_size": "auto", "gradient_accumulation_steps": 1}, 32, None),
        ({"per_device_train_batch_size": 8}, 16, 8),
        ({"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}, 32, 8),
    ],
)
def test_a_step_is_on_what_the_recipe_says(given, step, at_a_time, tmp_path):
    check_names(given)
    arguments = build(given, tmp_path)
    assert arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps == step
    assert pictures_at_a_time(given) == at_a_time


def test_a_batch_size_of_another_word_is_refused():
    with pytest.raises(RecipeError, match="'much', which is not a number"):
        check_names({"per_device_train_batch_size": "much"})


def test_a_loss_that_is_no_number_is_seen(tmp_path):
    """transformers' default replaces it by an average; only fp16, whose scaler skips such a step, may go on so."""
    assert not build({}, tmp_path, precision="fp32").logging_nan_inf_filter
    assert not build({}, tmp_path, precision="bf16").logging_nan_inf_filter
    assert build({"logging_nan_inf_filter": True}, tmp_path).logging_nan_inf_filter
