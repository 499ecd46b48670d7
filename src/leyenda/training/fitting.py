"""From a resolved recipe and usable examples to a run folder with its best model."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from leyenda.config import Recipe
from leyenda.data.examples import Examples
from leyenda.errors import DataError, RecipeError, RunError
from leyenda.kernels.library import lacks_compiler
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.checkpoint import quiet
from leyenda.models.memory import freed_memory_kept
from leyenda.models.precision import choose_training_precision
from leyenda.training import history
from leyenda.training.arguments import (
    pictures_at_a_time,
    pictures_per_process,
    training_arguments,
)
from leyenda.training.batch_size import PieceSize, choose_piece, saved_size
from leyenda.training.checkpoints import checkpoint_at, read_state, tidy, whole_checkpoints, written_whole
from leyenda.training.compilation import CompiledWhenItPays
from leyenda.training.dropout import set_dropout
from leyenda.training.pairs import EpochSampler, Images, Pairs, StepSampler
from leyenda.training.processes import ALONE, Processes
from leyenda.training.resolved_recipe import resolved
from leyenda.training.run_folder import RunFolder
from leyenda.training.self_critical import Reward, SelfCritical
from leyenda.training.trainer import (
    BestKept,
    CaptionTrainer,
    HistoryWritten,
    ProgressShown,
    Score,
    StoppedInOrder,
    Talk,
)
from leyenda.training.weight_average import TRAINED_WEIGHTS, WeightAverage

_TRAINER_FILES = (
    "optimizer",
    "scheduler.pt",
    "scaler.pt",
    "rng_state",
    "trainer_state.json",
    TRAINED_WEIGHTS,
    "training_args.bin",
)
"""How the names begin of what a checkpoint holds for resuming; the rest of it is the model."""

_NO_COMPILER = (
    "Steps take longer than they need to: code for this processor is compiled when leyenda is installed, and there was "
    "no C compiler. With gcc there, run: pip install --force-reinstall --no-deps --no-binary leyenda leyenda"
)


@dataclass(frozen=True, slots=True)
class Objective:
    """What training is to make better.

    Args:
        name: of the score.
        lower_is_better: its direction.
        score: computes it, and others, from captions and references.
    """

    name: str
    lower_is_better: bool
    score: Score


@dataclass(frozen=True, slots=True)
class Task:
    """What to train on what, and where it goes.

    Args:
        recipe: resolved.
        model: what to train; changed in place.
        train: usable examples.
        validation: usable examples for the evaluations.
        images: prepares their pictures.
        objective: what decides which checkpoint is best.
        run: the run's folder.
        talk: where lines for the user go.
        processes: those that train together; the main one writes.
        reward: tells how good captions are, where the recipe names scores to reward.
    """

    recipe: Recipe
    model: CaptioningModel
    train: Examples
    validation: Examples
    images: Images
    objective: Objective
    run: RunFolder
    talk: Talk
    processes: Processes = ALONE
    reward: Reward | None = None


def fit(task: Task) -> Path:
    """Train, or go on where the run's last whole checkpoint is, and put the best model into `RUN/model`.

    Returns:
        The folder of the best model.

    Raises:
        KeyboardInterrupt: stopped by the user; the last step is saved.
        DataError: there is nothing to train on, or nothing to choose the best checkpoint by.
        DiskError: the disk is full; the last checkpoint is whole.
        RunError: training diverged.
        RecipeError: the recipe's training part is wrong.
    """
    run = task.run
    if not len(task.train):
        raise DataError("There is nothing to train on.", "Check the data with: leyenda data check SOURCE")
    arguments = arguments_of(task.recipe, task.model, task.objective, run)
    if arguments.eval_strategy != "no" and not len(task.validation):
        raise DataError(
            "There is no validation picture to choose the best checkpoint by.",
            "Check the data with: leyenda data check SOURCE; or use --set training.eval_strategy=no.",
        )
    if task.processes.sharded:
        _refuse_what_is_not_sharded(task.recipe, arguments)
    self_critical = _self_critical(task)
    for part in task.recipe.model.freeze:
        _freeze(task.model, part)
    if task.recipe.model.dropout is not None:
        set_dropout(task.model.model, task.recipe.model.dropout)
    last = task.processes.from_main(lambda: _last_checkpoint(run))
    if last is None or not _has_ended(last[1]):
        pairs = _pairs(task, arguments)
        _refuse_no_batch(arguments, pairs)
        if self_critical is not None and last is None:
            _refuse_no_reward(self_critical, task, arguments, pairs)
        trainer, stop = _trainer(task, arguments, pairs, self_critical)
        size = _piece_size(task, trainer, pairs, last[1] if last else None)
        trainer.add_callback(size)
        if "torch_compile" not in task.recipe.training:
            own = -(-size.step // task.processes.count)
            trainer.add_callback(CompiledWhenItPays(task.talk, lambda: min(size.pictures, own)))
        task.talk(_plan(task, arguments, pairs, size, last[0] if last else 0))
        if arguments.bf16 and task.model.device.type == "cpu" and lacks_compiler():
            task.talk(_NO_COMPILER)
        _train(trainer, stop, last[1] if last else None)
        if trainer.state.global_step < trainer.state.max_steps:
            task.talk(_why_early(task, trainer.state))
    return task.processes.from_main(lambda: _publish_best(run, bool(arguments.load_best_model_at_end)))


def _last_checkpoint(run: RunFolder) -> tuple[int, Path] | None:
    """Step and folder of the newest whole checkpoint; what was done after it is forgotten."""
    tidy(run.checkpoints)
    checkpoints = whole_checkpoints(run.checkpoints)
    last = checkpoints[-1] if checkpoints else None
    history.cut_after(run.history, last[0] if last else 0)
    return last


def arguments_of(recipe: Recipe, model: CaptioningModel, objective: Objective, run: RunFolder) -> Any:
    """The run's `TrainingArguments`.

    Raises:
        RecipeError: an unknown name or a wrong value.
    """
    return training_arguments(
        resolved(recipe).training,
        run.checkpoints,
        metric=objective.name,
        lower_is_better=objective.lower_is_better,
        precision=choose_training_precision(_precision(recipe), model.device, _width(model)),
        use_cpu=model.device.type == "cpu",
    )


def precision_of(arguments: Any) -> str:
    """What the run computes in: `fp32`, `bf16` or `fp16`."""
    return "bf16" if arguments.bf16 else "fp16" if arguments.fp16 else "fp32"


def _precision(recipe: Recipe) -> str:
    """The format that the recipe names, under the name of `TrainingArguments` or of leyenda."""
    return "fp16" if recipe.training.get("fp16") else recipe.model.precision


def _width(model: CaptioningModel) -> int:
    config = model.model.config.get_text_config()
    return int(getattr(config, "hidden_size", 0) or 0)


def _freeze(model: CaptioningModel, part: str) -> None:
    assert part == "image_encoder"
    for parameter in model.family.image_encoder(model.model).parameters():
        parameter.requires_grad_(False)


def _pairs(task: Task, arguments: Any) -> Pairs:
    return Pairs(
        task.train,
        task.model,
        task.images,
        captions=task.recipe.data.captions,
        max_words=task.recipe.data.max_caption_words,
        augment=task.recipe.data.augment,
        max_tokens=task.recipe.model.max_caption_tokens,
        seed=arguments.data_seed if arguments.data_seed is not None else arguments.seed,
        drawn=_most_drawn(task),
    )


def _refuse_what_is_not_sharded(recipe: Recipe, arguments: Any) -> None:
    others = (
        ("model.average", recipe.model.average is not None, "Leave one of them out."),
        ("fp16", arguments.fp16, "Use --precision bf16 or fp32."),
        ("reward training (--reward)", bool(recipe.reward.scores), "Leave one of them out."),
    )
    for name, asked, fix in others:
        if asked:
            raise RecipeError(f"FSDP does not go with {name}.", fix)


def _self_critical(task: Task) -> SelfCritical | None:
    """How captions are rewarded; None where the recipe names no scores."""
    part = task.recipe.reward
    if not part.scores:
        return None
    assert task.reward is not None
    said = [name if weight == 1 else f"{name} (times {weight:g})" for name, weight in part.scores.items()]
    about = " and ".join(said)
    if part.contrast:
        about += f", less {part.contrast:g} times what they would get beside other pictures"
    longest = task.recipe.evaluation.max_length
    return SelfCritical(task.reward, about, part.from_epoch, part.captions, longest, part.contrast)


def _most_drawn(task: Task) -> tuple[int, int]:
    """Captions that are drawn of a picture, and most tokens of each, the start token included."""
    part = task.recipe.reward
    if not part.scores:
        return 0, 0
    most = min(task.recipe.evaluation.max_length, task.model.max_new_tokens)
    return part.captions, len(task.model.family.start_token_ids(task.model.tokenizer)) + most


def _refuse_no_reward(self_critical: SelfCritical, task: Task, arguments: Any, pairs: Pairs) -> None:
    step = pictures_per_process(task.recipe.training) * task.processes.count
    order = EpochSampler(len(pairs), arguments.seed)
    steps = len(StepSampler(order, step, ALONE, arguments.dataloader_drop_last))
    epochs = arguments.max_steps / steps if arguments.max_steps > 0 else arguments.num_train_epochs
    if self_critical.from_epoch >= epochs:
        raise RecipeError(
            f"Reward training is to begin after {self_critical.from_epoch} epochs (reward.from_epoch), but the run "
            f"ends after {epochs:g}.",
            "Make reward.from_epoch smaller, or train for longer, as in --epochs "
            f"{self_critical.from_epoch + 2}.",
        )


def _refuse_no_batch(arguments: Any, pairs: Pairs) -> None:
    batch = arguments.per_device_train_batch_size
    if arguments.dataloader_drop_last and len(pairs) < batch:
        raise RecipeError(
            f"With training.dataloader_drop_last nothing is left: a step is on {batch} pictures, and there are "
            f"{len(pairs)}.",
            "Leave it out, or use --batch-size with a smaller number.",
        )


def _piece_size(task: Task, trainer: CaptionTrainer, pairs: Pairs, last: Path | None) -> PieceSize:
    """As the recipe says, as the run that is resumed has it, or as much as memory holds."""
    named = pictures_at_a_time(task.recipe.training)
    step = pictures_per_process(task.recipe.training) * task.processes.count
    saved = saved_size(read_state(last), step) if last else None
    if saved:
        return saved
    if named:
        return PieceSize(named, step)
    size, why = choose_piece(step, task.model, pairs, trainer.compute_loss_context_manager, task.processes)
    task.talk(why)
    return PieceSize(size, step)


def _trainer(
    task: Task, arguments: Any, pairs: Pairs, self_critical: SelfCritical | None
) -> tuple[CaptionTrainer, StoppedInOrder]:
    from transformers import EarlyStoppingCallback

    evaluation = task.recipe.evaluation
    shown = min(len(task.validation), evaluation.max_pictures or len(task.validation))
    processes = task.processes
    stop = StoppedInOrder(task.talk, processes)
    written = HistoryWritten(task.run.history if processes.is_main else None)
    callbacks = [BestKept(task.run.checkpoints), written, stop]
    if processes.is_main:
        callbacks.append(ProgressShown())
    kept = task.recipe.model.average
    average = None if kept is None else WeightAverage(task.model.model, kept)
    if evaluation.patience is not None:
        callbacks.append(EarlyStoppingCallback(evaluation.patience))
    with (
        quiet(),
        _refusals_explained(ImportError, ValueError),
        _tensorboard_in(task.run.folder / "tensorboard"),
    ):
        trainer = CaptionTrainer(
            task.model,
            arguments,
            pairs,
            task.validation.select(range(shown)),
            task.images,
            task.objective.score,
            GenerationSettings(beams=evaluation.beams, max_length=evaluation.max_length),
            evaluation.samples,
            task.talk,
            callbacks,
            processes,
            average,
            self_critical,
        )
    return trainer, stop


@contextlib.contextmanager
def _refusals_explained(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds tell what the Trainer refuses of a recipe; it does so only when it is made or begins."""
    try:
        yield
    except kinds as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise RecipeError(
            f"The recipe's training part does not work: {reason}.", "Change or leave out that value."
        ) from error


@contextlib.contextmanager
def _tensorboard_in(folder: Path) -> Iterator[None]:
    """The Trainer takes TensorBoard's folder from the environment only, when it is made."""
    name = "TENSORBOARD_LOGGING_DIR"
    before = os.environ.get(name)
    os.environ[name] = before or str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _train(trainer: CaptionTrainer, stop: StoppedInOrder, last: Path | None) -> None:
    kept = freed_memory_kept() if trainer.args.device.type == "cpu" else contextlib.nullcontext()
    try:
        with quiet(), _refusals_explained(ImportError), kept:
            trainer.train(resume_from_checkpoint=str(last) if last else None)
    finally:
        stop.give_back()
    if stop.was_asked():
        raise KeyboardInterrupt


def _why_early(task: Task, state: Any) -> str:
    count = task.recipe.evaluation.patience
    evaluations = "evaluation" if count == 1 else f"{count} evaluations"
    return (
        f"Stopped at step {state.global_step} of {state.max_steps}: the last {evaluations} brought no better "
        f"{task.objective.name} than the {state.best_metric:.4g} of step {state.best_global_step}."
    )


def _plan(task: Task, arguments: Any, pairs: Pairs, size: PieceSize, step: int) -> str:
    """What is about to happen, in one line."""
    weights = sum(weight.numel() for weight in task.model.model.parameters() if weight.requires_grad)
    start = f"Going on at step {step}" if step else "Training"
    count = task.processes.count
    batch = f"batch {size.step} pictures"
    if pairs.most_captions > 1:
        batch += f" with up to {pairs.most_captions} captions each"
    if count > 1:
        batch += f", shared by {count} processes" + (
            " that shard the model" if task.processes.sharded else ""
        )
    if size.pictures < -(-size.step // count):
        batch += f", {size.pictures} at a time"
    return (
        f"{start}: {len(task.train)} pictures, {len(task.validation)} to evaluate on; "
        f"{weights / 1e6:.1f} million weights to train; "
        f"{precision_of(arguments)} on {task.model.device.type} with {torch.get_num_threads()} threads; "
        f"{batch}; learning rate {arguments.learning_rate:g}."
    )


def _has_ended(checkpoint: Path) -> bool:
    """Whether training had nothing left to do when this checkpoint was saved (all steps done, or stopped early)."""
    state = read_state(checkpoint)
    callbacks = state.get("stateful_callbacks")
    control = callbacks.get("TrainerControl", {}) if isinstance(callbacks, Mapping) else {}
    stopped = bool(control.get("args", {}).get("should_training_stop"))
    return stopped or int(str(state["global_step"])) >= int(str(state["max_steps"]))


def _publish_best(run: RunFolder, best: bool) -> Path:
    """Copy the model of the best checkpoint (the last one if none is best) to `RUN/model`."""
    checkpoints = whole_checkpoints(run.checkpoints)
    if not checkpoints:
        raise RunError(
            f"The run {str(run.folder)!r} has no checkpoint.", "Give it at least one training step."
        )
    state = read_state(checkpoints[-1][1])
    best_step = state.get("best_global_step")
    chosen = checkpoints[-1][1]
    if best and isinstance(best_step, int) and checkpoint_at(run.checkpoints, best_step).is_dir():
        chosen = checkpoint_at(run.checkpoints, best_step)
    with written_whole(run.model) as draft:
        for path in sorted(chosen.iterdir()):
            if path.is_file() and not path.name.startswith(_TRAINER_FILES):
                shutil.copyfile(path, draft / path.name)
    run.write_json("best.json", {"checkpoint": chosen.name, "best_score": state.get("best_metric")})
    return run.model
