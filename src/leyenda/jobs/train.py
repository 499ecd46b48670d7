"""Train a model on image-caption pairs, score it on pictures it has not seen, and write it all into one folder."""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from leyenda import metrics, models
from leyenda.config import Recipe
from leyenda.data.check import CheckReport, check
from leyenda.data.examples import Examples
from leyenda.data.load import load_examples
from leyenda.data.splits import assign_splits, describe_splits, taken_shares
from leyenda.data.summary import summarize
from leyenda.errors import DataError, RecipeError, RunError, near
from leyenda.heap import share_one_heap
from leyenda.jobs.evaluate import evaluate_examples
from leyenda.jobs.predictions_file import write_predictions
from leyenda.jobs.push import push
from leyenda.jobs.references import other_captions
from leyenda.jobs.rewards import check_rewards, reward_of
from leyenda.jobs.score import tokenizer_for
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.records import EvaluationResult, Skipped
from leyenda.reports import write_report
from leyenda.sharing.privacy import public_name, without_private_values
from leyenda.sharing.push import repository_problems
from leyenda.training import history
from leyenda.training.argument_values import with_no
from leyenda.training.arguments import check_names
from leyenda.training.feature_cache import open_images
from leyenda.training.fitting import Objective, Task, arguments_of, fit, precision_of
from leyenda.training.processes import Processes, joined
from leyenda.training.resolved_recipe import resolved
from leyenda.training.run_folder import RunFolder
from leyenda.training.self_critical import Reward

Talk = Callable[[str], None]

_NAMED = 5
"""How many left-out pictures are named on the screen; all are in the run's folder."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a finished run gives.

    Args:
        run: its folder, with everything in it.
        tuned: scores of the best model on the test split.
        base: scores of the model before tuning; None for a new model, or when not asked for.
        skipped: pictures that could not be used for training or evaluation, and why.
        pushed_to: address of the model on the hub, when it was pushed.
    """

    run: RunFolder
    tuned: EvaluationResult
    base: EvaluationResult | None
    skipped: Mapping[str, Skipped]
    pushed_to: str | None = None


def say(line: str) -> None:
    """Print a line on standard error without tearing a progress bar."""
    tqdm.write(line, file=sys.stderr)


def train(
    recipe: Recipe,
    output: str | Path,
    *,
    resume: bool = False,
    push_to: str | None = None,
    private: bool = False,
    token: str | None = None,
    notes: Sequence[str] = (),
    talk: Talk = say,
) -> TrainingResult:
    """Fine-tune a model by a recipe, alone or together with the other processes that a launcher has started.

    Args:
        recipe: everything that decides the run (`leyenda.config.load_recipe`).
        output: the run's folder.
        resume: go on where the run in `output` stopped; it then ends exactly as if it had not been stopped.
        push_to: hub repository to send the finished model to.
        private: whether that repository is created private.
        token: access token for the hub, for data, model and `push_to`; None takes the one that is logged in. It
            is written nowhere.
        notes: sentences for the top of the report.
        talk: where lines for the user go, those of the main process; standard error when not given.

    Returns:
        The same in every process.

    Raises:
        LeyendaError: anything the user can mend, found before training starts wherever possible.
        KeyboardInterrupt: stopped by the user; what was done is saved.
    """
    objective = objective_of(recipe)
    check_rewards(recipe.reward)
    check_names(recipe.training)
    _check_patience(recipe)
    recipe = resolved(recipe)
    share_one_heap()  # `leyenda train` does so sooner: imports of this module begin threads
    with joined(recipe.model.device, bool(recipe.training.get("fsdp"))) as processes:
        return _train(
            Order(recipe, RunFolder(output), resume, push_to, private, token, tuple(notes)),
            objective,
            processes,
            talk if processes.is_main else _say_nothing,
        )


def _say_nothing(line: str) -> None:
    """As `say`, in a process that is not the main one."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `train` was asked for; see there."""

    recipe: Recipe
    run: RunFolder
    resume: bool
    push_to: str | None
    private: bool
    token: str | None
    notes: Sequence[str]


def _train(order: Order, objective: Objective, processes: Processes, talk: Talk) -> TrainingResult:
    recipe, run, token = order.recipe, order.run, order.token
    processes.from_main(lambda: _check(order))
    if order.resume and not run.recipe.is_file():
        talk(f"There is no run in {str(run.folder)!r} to go on with: a new one starts.")
    examples, sizes = processes.first_on_each_machine(lambda: load_split(recipe, token))
    _check_splits(recipe, examples)
    talk("Pictures: " + sizes)
    model = processes.together(lambda: _model(recipe, examples, token))
    # Made here too, so that what is wrong with them is said before the pictures are read.
    arguments = arguments_of(recipe, model, objective, run)
    with contextlib.ExitStack() as held:

        def start() -> None:
            held.enter_context(run.locked())
            run.start(recipe)
            run.check_data(examples)

        processes.from_main(start)
        processes.together(lambda: _check_shared(run))
        opened = open_images(
            model,
            [_part(examples, "train"), _part(examples, "validation")],
            # The code of transformers, with which a sharded model computes, knows no features.
            frozen="image_encoder" in recipe.model.freeze and recipe.model.fast and not processes.sharded,
            augment=recipe.data.augment,
            precision=precision_of(arguments),
            talk=talk,
            exact_decode=recipe.data.exact_decode,
            processes=processes,
        )
        skipped = opened.skipped
        processes.from_main(lambda: _tell_skipped(skipped, run, talk))
        train_examples, validation = opened.parts
        task = Task(
            recipe,
            model,
            train_examples,
            validation,
            opened.images,
            objective,
            run,
            talk,
            processes,
            _reward(recipe, train_examples),
        )
        fit(task)
        del model, opened, task
        tuned, base = _final_scores(recipe, examples, run, token, talk, processes)

        def finish() -> str | None:
            problems = _data_problems(recipe, examples, run, talk)
            _write_results(recipe, examples, run, tuned, base, skipped, problems, order.notes)
            talk(f"Done: the model is in {run.model}, the report is {run.report}")
            return _pushed(order)

        address = processes.from_main(finish)
    return TrainingResult(run, tuned, base, {**skipped, **tuned.skipped}, address)


def _check(order: Order) -> None:
    """See that the run may start or go on, and be pushed at its end."""
    order.run.check(order.recipe, order.resume)
    for problem in repository_problems(order.push_to, order.token) if order.push_to else ():
        raise problem


def _evaluates(recipe: Recipe) -> bool:
    return bool(with_no(recipe.training).get("eval_strategy") != "no")


def _check_patience(recipe: Recipe) -> None:
    if recipe.evaluation.patience is not None and not _evaluates(recipe):
        raise RecipeError(
            "With training.eval_strategy=no there are no evaluations that patience could count.",
            "Leave one of them out.",
        )


def _check_splits(recipe: Recipe, examples: Examples) -> None:
    """See that there are pictures for everything the run will need them for."""
    if not any(examples.captions()):
        raise DataError(
            "No picture has a caption: there is nothing to train on.",
            "Check the data with: leyenda data check SOURCE",
        )
    sizes = examples.splits()
    shares = "--set data.validation and --set data.test"
    if "train" not in sizes:
        there = ", ".join(f"{size} for {name}" for name, size in sizes.items())
        raise DataError(
            f"No picture is left to train on; there are {there or 'none at all'}.",
            f"Give more pictures, or lower {shares}.",
        )
    if _evaluates(recipe) and "validation" not in sizes:
        raise DataError(
            "There is no validation picture to choose the best checkpoint by.",
            "Give more pictures, name a larger share as in --validation 0.3, or use --set training.eval_strategy=no.",
        )
    if not {"test", "validation"} & sizes.keys():
        raise DataError(
            "There is no test or validation picture to score the model on.",
            "Give more pictures, or name a larger share, as in --set data.test=0.3",
        )


def _check_shared(run: RunFolder) -> None:
    """See that this process finds the run's folder, which the main process has just begun."""
    if not run.recipe.is_file():
        raise RunError(
            f"The machine {platform.node()!r} does not find the run's folder {str(run.folder)!r}.",
            "Choose an --output on a file system that all machines share.",
        )


def _pushed(order: Order) -> str | None:
    """The repository's address; None where none is wanted."""
    if not order.push_to:
        return None
    language = order.recipe.evaluation.language
    return push(order.run.folder, order.push_to, private=order.private, token=order.token, language=language)


def objective_of(recipe: Recipe) -> Objective:
    """The score that the recipe trains for.

    Raises:
        RecipeError: there is no score of that name.
    """
    name = recipe.evaluation.metric
    if name not in (*metrics.METRICS, "loss"):
        hint = near(name, metrics.METRICS) or "Scores are: " + ", ".join(metrics.METRICS) + "."
        raise RecipeError(f"There is no score {name!r} for evaluation.metric. {hint}")
    tokenizer = tokenizer_for(recipe.evaluation.language)

    def score(hypotheses: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> Mapping[str, float]:
        return metrics.score(hypotheses, references, tokenizer=tokenizer).values

    lower = name == "loss" or metrics.METRICS[name].direction == "lower"
    return Objective(name, lower, score)


def _reward(recipe: Recipe, train_examples: Examples) -> Reward:
    told = ([caption for caption in example.captions if caption] for example in train_examples)
    return reward_of(recipe.reward.scores, told, tokenizer_for(recipe.evaluation.language))


def load_split(recipe: Recipe, token: str | None = None) -> tuple[Examples, str]:
    """The recipe's examples, every one in a split, and the splits' sizes in words.

    Args:
        recipe: names the data.
        token: access token for the hub.

    Raises:
        DataError: the source cannot be read, or the shares leave nothing to train on.
    """
    data = recipe.data
    if not data.source:
        raise DataError("No data is named.", "Write: leyenda train SOURCE --output RUN")
    if data.validation + data.test >= 1:
        raise RecipeError(
            f"data.validation ({data.validation}) and data.test ({data.test}) leave nothing to train on.",
            "Make them smaller.",
        )
    examples = load_examples(data.source, token=token, **data.reading())
    shares = {"validation": data.validation, "test": data.test}
    divided = assign_splits(examples, **shares, seed=data.split_seed)
    return divided, describe_splits(divided, **taken_shares(examples, **shares))


def _part(examples: Examples, name: str) -> Examples:
    return examples.split(name) if name in examples.splits() else examples.select([])


def _model(recipe: Recipe, examples: Examples, token: str | None) -> CaptioningModel:
    part = recipe.model
    if part.from_scratch is not None:
        captions = [caption for example in _part(examples, "train") for caption in example.captions]
        seed = int(recipe.training.get("seed", 42))
        return models.create(part.from_scratch, captions, seed=seed, device=part.device, fast=part.fast)
    return models.load(
        part.name,
        revision=part.revision,
        token=token,
        device=part.device,
        dtype=torch.float32,
        fast=part.fast,
    )


def _tell_skipped(skipped: Mapping[str, Skipped], run: RunFolder, talk: Talk) -> None:
    if not skipped:
        return
    run.write_json(
        "skipped.json",
        {image: {"code": problem.code, "message": problem.message} for image, problem in skipped.items()},
    )
    talk(f"Left out {len(skipped)} pictures that cannot be used (all in {run.folder / 'skipped.json'}):")
    for image_id, problem in list(skipped.items())[:_NAMED]:
        talk(f"  {image_id}: {problem.message}")


def _final_scores(
    recipe: Recipe, examples: Examples, run: RunFolder, token: str | None, talk: Talk, processes: Processes
) -> tuple[EvaluationResult, EvaluationResult | None]:
    """Scores of the best model, and of the one before tuning, on pictures that training has not seen."""
    name = "test" if "test" in examples.splits() else "validation"
    scored = examples.split(name)
    candidates = other_captions(examples, name)
    settings = GenerationSettings(beams=recipe.evaluation.beams, max_length=recipe.evaluation.max_length)

    def scores_of(place: str | Path, revision: str | None = None) -> EvaluationResult:
        model = models.load(
            place,
            revision=revision,
            token=token,
            device=recipe.model.device,
            dtype=torch.float32,
            fast=recipe.model.fast,
        )
        return evaluate_examples(
            model,
            scored,
            settings=settings,
            candidates=candidates,
            tokenizer=tokenizer_for(recipe.evaluation.language),
            exact_decode=recipe.data.exact_decode,
            processes=processes,
        )

    talk(f"Scoring the best model on the {len(scored)} {name} pictures.")
    tuned = scores_of(run.model)
    base = None
    if recipe.model.from_scratch is None and recipe.evaluation.base:
        base = scores_of(recipe.model.name, recipe.model.revision)
    return tuned, base


def _data_problems(recipe: Recipe, examples: Examples, run: RunFolder, talk: Talk) -> CheckReport:
    """What `leyenda data check` finds in the data of this run, by the tokenizer of its model."""
    found = check(
        examples,
        tokenizer=models.load_tokenizer(run.model),
        max_caption_tokens=recipe.model.max_caption_tokens,
    )
    if found.problems:
        run.write_json("data_problems.json", found.as_json())
        talk(f"Problems in the data: {len(found.problems):,} (in the report; all in data_problems.json)")
    return found


def _write_results(
    recipe: Recipe,
    examples: Examples,
    run: RunFolder,
    tuned: EvaluationResult,
    base: EvaluationResult | None,
    skipped: Mapping[str, Skipped],
    problems: CheckReport,
    notes: Sequence[str],
) -> None:
    scores = {"base": base.as_json()} if base else {}
    run.write_json("metrics.json", {**scores, "tuned": tuned.as_json()})
    write_predictions(run.predictions, tuned)
    left_out = [f"Left out of training: {len(skipped)} pictures that cannot be used."] if skipped else []
    write_report(
        run.report,
        title=run.folder.resolve().name,
        result=tuned,
        base=base,
        history=history.read(run.history),
        recipe=without_private_values(recipe.model_dump()),
        data_summary={"source": public_name(recipe.data.source)} | summarize(examples).as_json(),
        problems=problems,
        language=recipe.evaluation.language,
        notes=[*notes, *left_out],
    )
