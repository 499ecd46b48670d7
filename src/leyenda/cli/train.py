"""`leyenda train`: fine-tune a model on image-caption pairs."""

from __future__ import annotations

import os
from typing import Any

import click

from leyenda.cli import EXIT_SOME_FAILED
from leyenda.cli.shared_options import (
    check_engine,
    device,
    engine_options,
    model_revision,
    precision,
    shares,
    source_options,
    token,
)
from leyenda.heap import share_one_heap

_TRAIN_HELP = """Fine-tune a captioning model on your own pictures.

SOURCE is a folder or file of image-caption pairs, in any format that `leyenda data show SOURCE` reads, or a hub id.

\b
  leyenda train pictures/ --model microsoft/git-base --output runs/mine
  leyenda train pictures/ --output runs/mine --resume
  leyenda train pictures/ --from-scratch small --output runs/new --epochs 20

RUN then holds model/ (the best one, a plain Hugging Face checkpoint), report.html, metrics.json, history.jsonl,
recipe.yaml and checkpoints/.
"""


def pictures_at_a_time(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """A whole number, or the word `auto`, as the recipe takes it."""
    if value is None or value == "auto":
        return value
    try:
        return int(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is neither a whole number nor auto.", context, option) from error


def scores_with_weights(
    context: click.Context, option: click.Parameter, value: str | None
) -> dict[str, float] | None:
    """Names with weights, as the recipe takes them; a name alone has the weight 1."""
    if value is None:
        return None
    scores: dict[str, float] = {}
    for part in value.split(","):
        name, equals, weight = (word.strip() for word in part.partition("="))
        if not name:
            raise click.BadParameter(f"{value!r} is not a list like wer,cider_d=0.3.", context, option)
        if name in scores:
            raise click.BadParameter(f"{name!r} is named twice.", context, option)
        try:
            scores[name] = float(weight) if equals else 1.0
        except ValueError as error:
            raise click.BadParameter(
                f"the weight of {name!r} is {weight!r}, which is no number.", context, option
            ) from error
    return scores


@click.command(help=_TRAIN_HELP, short_help="Fine-tune a model on your own pictures.")
@click.argument("source", required=False)
@click.option("--output", "-o", required=True, metavar="RUN", help="Folder of the run.")
@click.option("--model", metavar="ID_OR_FOLDER", help="What to fine-tune.  [default: microsoft/git-base]")
@model_revision
@click.option(
    "--from-scratch", metavar="SIZE", help="A new model instead: tiny, small, medium, base, or a .json file."
)
@click.option("--freeze", multiple=True, metavar="PART", help="Keep the weights of a part: image_encoder.")
@click.option("--config", metavar="FILE.yaml", help="A recipe; every option here overrides it.")
@click.option(
    "--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Change one value of the recipe."
)
@click.option("--epochs", type=float, help="Times to go through the pictures.  [default: 50]")
@click.option(
    "--learning-rate", type=float, help="Size of the steps.  [default: 5e-5; 5e-4 with --from-scratch]"
)
@click.option(
    "--batch-size",
    callback=pictures_at_a_time,
    metavar="N|auto",
    help="Pictures at a time; auto: what memory holds, of 32.  [default: auto]",
)
@click.option("--seed", type=int, help="Of everything random.  [default: 42]")
@click.option("--metric", metavar="NAME", help="Score that decides which checkpoint is best.  [default: wer]")
@click.option(
    "--reward",
    callback=scores_with_weights,
    metavar="SCORES",
    help="Learn from the model's own captions, by scores with weights: wer,cider_d or wer,cider_d=0.3.",
)
@click.option("--patience", type=int, metavar="N", help="Stop after N evaluations without a better score.")
@click.option("--language", metavar="en|es", help="Of the captions and the report.  [default: en]")
@shares()
@click.option("--resume", is_flag=True, help="Go on where the run in RUN stopped.")
@click.option("--push-to", metavar="REPO", help="Send the finished model to this hub repository.")
@click.option("--private", is_flag=True, help="With --push-to: make the repository private.")
@engine_options
@device
@precision(None)
@source_options
@token
def command(
    source: str | None,
    output: str,
    config: str | None,
    overrides: tuple[str, ...],
    resume: bool,
    push_to: str | None,
    private: bool,
    token: str | None,
    engine: str,
    workers: int | None,
    address: str | None,
    **options: Any,
) -> int:
    """Resolve the recipe, train, print where the model and its scores are."""
    check_engine(engine, workers, address)
    share_one_heap()
    from leyenda.config import load_recipe
    from leyenda.training.processes import launched
    from leyenda.training.run_folder import RunFolder

    here = launched()
    if not here.is_main:
        os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported

    context = click.get_current_context()
    if private and not push_to:
        raise click.UsageError("--private needs --push-to REPO.", context)
    if options["model"] and options["from_scratch"]:
        raise click.UsageError("--from-scratch makes a new model: leave out --model.", context)
    run = RunFolder(output)
    if resume and not source and not config:
        run.saved_recipe()  # or the error that there is no run
    saved = run.recipe if resume and run.recipe.is_file() else None
    recipe = load_recipe(config or saved, overrides, _recipe_values(source, options))

    wanted: dict[str, Any] = {"resume": resume, "push_to": push_to, "private": private, "token": token}
    if engine == "ray":
        from leyenda.jobs.train_with_ray import train_with_ray

        result = train_with_ray(recipe, output, workers=workers, address=address, **wanted)
    else:
        from leyenda.jobs.train import train

        result = train(recipe, output, **wanted)
    if not here.is_main:
        return 0
    scores = result.tuned.scores.values
    click.echo(f"model\t{result.run.model}")
    click.echo(f"report\t{result.run.report}")
    for name in ("wer", "cider_d"):
        click.echo(f"{name}\t{scores[name]:.4f}")
    if result.pushed_to:
        click.echo(f"pushed\t{result.pushed_to}")
    # A launcher takes any other number for a failure, and would say so of a run that is finished.
    return EXIT_SOME_FAILED if result.skipped and here.count == 1 else 0


def _recipe_values(source: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """The options by their names in the recipe; those not given are None."""
    return {
        "data.source": source,
        "data.format": options["format_"],
        "data.image_column": options["image_column"],
        "data.caption_column": options["caption_column"],
        "data.image_root": options["image_root"],
        "data.revision": options["revision"],
        "data.streaming": options["streaming"] or None,
        "data.validation": options["validation"],
        "data.test": options["test"],
        "data.split_seed": options["split_seed"],
        "model.name": options["model"],
        "model.revision": options["model_revision"],
        "model.from_scratch": options["from_scratch"],
        "model.freeze": list(options["freeze"]) or None,
        "model.precision": options["precision"],
        "model.device": options["device"],
        "evaluation.metric": options["metric"],
        "evaluation.patience": options["patience"],
        "evaluation.language": options["language"],
        "reward.scores": options["reward"],
        "training.num_train_epochs": options["epochs"],
        "training.learning_rate": options["learning_rate"],
        "training.per_device_train_batch_size": options["batch_size"],
        "training.seed": options["seed"],
    }
