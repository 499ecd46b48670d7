"""`leyenda data`: look at image-caption pairs, check them, split them, convert them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leyenda.cli import EXIT_SOME_FAILED
from leyenda.cli.shared_options import SOURCE_OPTIONS, model_revision, source_options, token

if TYPE_CHECKING:
    from leyenda.data.examples import Examples


def _with_source(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say how to read SOURCE, and the examples in its place."""

    @functools.wraps(command)
    def reading(source: str, token: str | None, **options: Any) -> int:
        from leyenda.data.load import load_examples

        how = {name.rstrip("_"): options.pop(name) for name in SOURCE_OPTIONS}
        return command(examples=load_examples(source, token=token, **how), **options)

    return source_options(token(reading))


@click.group(short_help="Look at pictures and captions, check, split, convert them.")
def command() -> None:
    """Look at image-caption pairs, check them, split them, convert them.

    SOURCE is a folder, a file, a pattern of tar shards (shard-{000..010}.tar) or a hub id; its format is
    detected.

    \b
      leyenda data show pictures/ --grid look.png
      leyenda data check pictures/ --model microsoft/git-base
      leyenda data split pictures/ --output splits.csv
      leyenda data convert pictures/ shards/ --to webdataset
    """  # noqa: D301


@command.command()
@click.argument("source")
@click.option(
    "--split", metavar="NAME", help="Only this split: train, validation, test, or the source's own."
)
@click.option("--grid", metavar="FILE.png", help="Draw some pictures under their captions.")
@click.option("--pictures", default=12, show_default=True, help="Pictures in the grid.")
@click.option("--columns", default=4, show_default=True, help="Pictures in a row of the grid.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@_with_source
def show(
    examples: Examples,
    split: str | None,
    grid: str | None,
    pictures: int,
    columns: int,
    seed: int,
    as_json: bool,
) -> int:
    """Count pictures, captions, words and sizes.

    \b
      leyenda data show pictures/ --grid look.png
      leyenda data show captions.csv --split test --json

    The JSON object has the keys images, captions, splits, captions_per_image (number of captions ->
    images), words, width and height (each min, mean, median, max), vocabulary, frequent_words, formats and
    unreadable.
    """  # noqa: D301
    from leyenda.data.grid import draw_grid
    from leyenda.data.summary import summarize

    if split:
        examples = _split(examples, split)
    if grid:
        path = draw_grid(examples, grid, pictures=pictures, columns=columns, seed=seed)
        click.echo(f"Drew the grid {path}.", err=True)
    summary = summarize(examples)
    click.echo(json.dumps(summary.as_json(), ensure_ascii=False, indent=2) if as_json else str(summary))
    return 0


@command.command()
@click.argument("source")
@click.option(
    "--model", metavar="ID_OR_FOLDER", help="Also check what this model's tokenizer makes of the captions."
)
@model_revision
@click.option(
    "--max-caption-tokens",
    type=int,
    metavar="N",
    help="With --model: longest caption.  [default: as in training]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@_with_source
def check(
    examples: Examples,
    model: str | None,
    model_revision: str | None,
    max_caption_tokens: int | None,
    as_json: bool,
) -> int:
    """Find every problem at once, each with its file and line.

    Unreadable, truncated, empty and missing pictures, pictures outside the folder; empty and missing
    captions; the same or nearly the same picture twice, or on both sides of a split. With --model also
    captions that the model cannot write as they are, and captions that are cut. Leaves with exit code 3
    when there is any problem.

    \b
      leyenda data check pictures/ --model microsoft/git-base
      leyenda data check captions.csv --json

    The JSON object has the keys images, captions, counts (kind -> number) and problems (a list of objects
    with kind, id, file, line and message).
    """  # noqa: D301
    from leyenda.data.check import KINDS
    from leyenda.data.check import check as check_examples

    tokenizer, limit = _tokenizer(model, model_revision, max_caption_tokens)
    report = check_examples(examples, tokenizer=tokenizer, max_caption_tokens=limit)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        for problem in report.problems:
            click.echo(str(problem))
        click.echo(f"{report.images:,} pictures and {report.captions:,} captions checked.", err=True)
        for kind, count in report.counts().items():
            click.echo(f"{count:>7,}  {kind}: {KINDS[kind]}", err=True)
        if not report.problems:
            click.echo("No problem found.")
    return EXIT_SOME_FAILED if report.problems else 0


@command.command()
@click.argument("source")
@click.option(
    "--validation", default=0.1, show_default=True, metavar="SHARE", help="For choosing the best model."
)
@click.option("--test", default=0.1, show_default=True, metavar="SHARE", help="For the final scores.")
@click.option("--seed", default=0, show_default=True, help="Another seed gives other splits.")
@click.option(
    "--output", "-o", metavar="FILE.csv|FOLDER", help="Write the splits, or a copy of the data with them."
)
@click.option("--to", metavar="FORMAT", default="jsonl", show_default=True, help="Format of the FOLDER.")
@_with_source
def split(examples: Examples, validation: float, test: float, seed: int, output: str | None, to: str) -> int:
    """Divide the pictures into train, validation and test.

    All captions of a picture stay together. A picture's split depends on its name and the seed alone, so
    adding or removing pictures moves no other one; the sizes are therefore near the shares, not exactly
    them. Splits that the source gives are kept; a missing validation or test is taken out of its train.

    \b
      leyenda data split pictures/
      leyenda data split pictures/ --test 0.2 --seed 7 --output splits.csv
      leyenda data split pictures/ --output divided/ --to imagefolder

    FILE.csv gets two columns: id and split.
    """  # noqa: D301
    from leyenda.data.convert import convert as convert_examples
    from leyenda.data.splits import assign_splits, describe_splits, taken_shares, write_splits

    as_table = bool(output) and str(output).lower().endswith(".csv")
    chosen = click.get_current_context().get_parameter_source("to")
    if as_table and chosen is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--to is for a folder: with --output FILE.csv leave it out.")
    shares = taken_shares(examples, validation=validation, test=test)
    divided = assign_splits(examples, validation=validation, test=test, seed=seed)
    if output and as_table:
        write_splits(divided, Path(output))
    elif output:
        convert_examples(divided, output, to)
    for line in describe_splits(divided, **shares).split("; "):
        click.echo(line)
    if output:
        click.echo(f"Wrote {output}.", err=True)
    return 0


@command.command()
@click.argument("source")
@click.argument("output")
@click.option("--to", metavar="FORMAT", required=True, help="The format to write.")
@click.option(
    "--link", is_flag=True, help="Link the picture files instead of copying them, where that works."
)
@_with_source
def convert(examples: Examples, output: str, to: str, link: bool) -> int:
    """Write the data set as a folder of another format.

    Names, captions, splits and the pictures' bytes stay as they are. OUTPUT must not exist yet.

    \b
      leyenda data convert captions.csv shards/ --to webdataset
    """  # noqa: D301
    from leyenda.data.convert import convert as convert_examples

    done = convert_examples(examples, output, to, copy="link" if link else "copy")
    click.echo(f"images\t{done.images}")
    click.echo(f"captions\t{done.captions}")
    click.echo(f"Wrote {done.output} ({done.format}).", err=True)
    return 0


def _split(examples: Examples, name: str) -> Examples:
    """One split; where the source gives none of that name, as training would make it."""
    from leyenda.data.splits import assign_splits

    given = examples.splits()
    if name not in given and (not given or name in ("train", "validation", "test")):
        examples = assign_splits(examples)
        click.echo("The source does not give this split; it is made as `leyenda data split` does.", err=True)
    return examples.split(name)


def _tokenizer(
    model: str | None, revision: str | None, max_caption_tokens: int | None
) -> tuple[Any, int | None]:
    """The model's tokenizer and the longest caption that training with it would keep, in tokens."""
    context = click.get_current_context()
    if model is None:
        if max_caption_tokens is not None:
            raise click.UsageError("--max-caption-tokens counts a model's tokens: add --model.", context)
        if revision is not None:
            raise click.UsageError("--model-revision is a model's: add --model.", context)
        return None, None
    if max_caption_tokens is not None and max_caption_tokens < 1:
        raise click.UsageError(
            f"--max-caption-tokens is {max_caption_tokens}: it must be from 1 up.", context
        )
    from leyenda.config import ModelRecipe
    from leyenda.models import load_tokenizer

    tokenizer = load_tokenizer(model, revision=revision, token=context.params["token"])
    limit = max_caption_tokens or ModelRecipe().max_caption_tokens
    return tokenizer, min(limit, tokenizer.model_max_length)
