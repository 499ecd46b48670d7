"""`leyenda caption`: captions for files, folders, globs, lists, tables, addresses and standard input."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from leyenda.cli import EXIT_INTERRUPTED, EXIT_SOME_FAILED
from leyenda.cli.shared_options import device, exact_decode, precision, token

if TYPE_CHECKING:
    from types import FrameType

    from leyenda.volume.progress import Pace, Progress
    from leyenda.volume.run import VolumeRun

_SHORT = {"lists": "list", "as_json": "json"}
"""Options that are typed otherwise than they are called here."""

_SAMPLING = ("temperature", "top_p", "seed")

_LONGEST_COMMAND = 1_000
"""Characters of a command that is shown again."""

_WITH_OUTPUT = {
    "overwrite": False,
    "existing": "skip",
    "retry_failed": False,
    "min_confidence": None,
    "review": None,
    "duplicates": "bytes",
    "sidecar_name": None,
    "shard_size": None,
    "record": None,
    "engine": "plain",
    "workers": None,
    "address": None,
}
"""Options that mean something only where captions are kept, and what they are when they are not given."""


@click.command("caption")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "--model",
    default="microsoft/git-base-coco",
    show_default=True,
    metavar="ID_OR_FOLDER",
    help="A training run, a model's folder, a hub id, or demo.",
)
@click.option("--revision", metavar="NAME", help="Branch, tag or commit, where the model is a hub id.")
@click.option(
    "--list", "lists", multiple=True, metavar="FILE", help="Also the pictures that a file names, one a line."
)
@click.option("--image-column", metavar="NAME", help="Column with the pictures.")
@click.option("--image-root", metavar="FOLDER", help="Folder of the pictures, if not beside SOURCE.")
@click.option("--hidden", is_flag=True, help="Also hidden files and folders.")
@click.option("-o", "--output", type=click.Path(), metavar="PATH", help="File or folder for the captions.")
@click.option(
    "--to",
    metavar="KIND",
    help="jsonl, csv, parquet, webdataset, sidecar or metadata.  [default: by the ending of --output]",
)
@click.option("--sidecar-name", metavar="NAME", help="stem: a.txt; full: a.jpg.txt.  [default: stem]")
@click.option("--shard-size", type=int, help="Pictures of a WebDataset shard.  [default: 1000]")
@click.option(
    "--record", type=click.Path(), metavar="FILE", help="History of sidecar and metadata, for --undo."
)
@click.option("--overwrite", is_flag=True, help="Begin anew: replace the file or shards that are there.")
@click.option(
    "--existing",
    default="skip",
    metavar="WAY",
    help="Where a caption is there: skip, overwrite, append or prepend.  [default: skip]",
)
@click.option(
    "--retry-failed", is_flag=True, help="Try pictures again that an earlier run could not caption."
)
@click.option(
    "--min-confidence", type=float, metavar="X", help="Captions below go to a list for review, 0 to 1."
)
@click.option("--review", type=click.Path(), metavar="FILE", help="That list.  [default: beside the output]")
@click.option(
    "--duplicates",
    default="bytes",
    metavar="KIND",
    help="What is captioned once: pictures of the same bytes, near ones too, or each.  [default: bytes]",
)
@click.option("--undo", type=click.Path(), metavar="RECORD", help="Take back what a run wrote; no INPUT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines; with an output, events of the run.")
@click.option(
    "--prompt", metavar="WORDS", help="Captions go on from these words; {column} is the picture's own."
)
@click.option("--drop-prompt", is_flag=True, help="Leave the prompt out of the caption.")
@click.option("--prefix", default="", metavar="WORDS", help="Before every caption.")
@click.option("--suffix", default="", metavar="WORDS", help="Behind every caption.")
@click.option("--trigger", default="", metavar="WORD", help="In front of all, with a comma.")
@click.option("--strip-start", multiple=True, metavar="WORDS", help="Take this off a caption's start.")
@click.option("--max-words", type=int, metavar="N", help="Cut captions to so many words.")
@click.option("--ban", multiple=True, metavar="WORDS", help="Never write this.")
@click.option("--require", multiple=True, metavar="WORDS", help="No caption without this.")
@click.option("--beams", default=1, show_default=True, help="Beams of the search; 1 is greedy.")
@click.option("--max-length", default=50, show_default=True, help="Most tokens of a caption.")
@click.option("--min-length", default=0, show_default=True, help="Fewest tokens of a caption.")
@click.option("--sample", is_flag=True, help="Draw words at random by their probability.")
@click.option(
    "--temperature",
    type=float,
    help="With --sample: below 1 more careful, above 1 more varied.  [default: 1]",
)
@click.option(
    "--top-p",
    type=float,
    help="With --sample: draw from the likeliest words that reach this probability.  [default: 1]",
)
@click.option("--seed", type=int, help="With --sample: another seed, another draw.  [default: 0]")
@click.option("--batch-size", type=int, help="Pictures at a time.  [default: 16, or 256 on a GPU]")
@click.option(
    "--max-pixels", default=178_000_000, show_default=True, help="Skip pictures with more pixels, unopened."
)
@click.option(
    "--engine", default="plain", metavar="NAME", help="plain: this process; ray: a cluster.  [default: plain]"
)
@click.option("--workers", type=int, metavar="N", help="With ray: models.  [default: one a GPU, or one]")
@click.option("--address", metavar="HOST:PORT", help="With ray: a running cluster.  [default: one here]")
@exact_decode
@device
@precision("auto")
@token
@click.pass_context
def command(ctx: click.Context, /, inputs: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Say what is in each picture.

    INPUT is a picture file, a folder (all pictures in and below it), a pattern such as 'photos/**/*.jpg', an http(s)
    address, or - for standard input: one picture, or a list of names, one a line; or a table (.csv,
    .tsv, .jsonl, .parquet), WebDataset shards, a folder that `datasets` saved, or a data set's hub id.

    One picture: its caption. Several: name, tab, caption. A picture that cannot be used stops no other: all such
    are listed at the end, and the exit code is 3.

    With an output, the same command goes on where it was stopped, whatever stopped it.

    \b
      leyenda caption photo.jpg
      leyenda caption photos/ --model runs/mine --output captions.jsonl
    """  # noqa: D301
    _refuse_empty(ctx)
    if record := options.pop("undo"):
        _refuse_beside_undo(ctx)
        return _undo(record)
    if not inputs and not options["lists"]:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    given = {name: options.pop(name) for name in _SAMPLING}
    options |= {name: value for name, value in given.items() if value is not None}
    for name in _SAMPLING:
        if name in options and not options["sample"]:
            raise click.UsageError(f"{_typed(name)} needs --sample.", ctx)
    if options["drop_prompt"] and options["prompt"] is None:
        raise click.UsageError("--drop-prompt needs --prompt.", ctx)
    if options["prompt"] is None:
        del options["prompt"]
    if options["review"] and options["min_confidence"] is None:
        raise click.UsageError("--review needs --min-confidence.", ctx)
    if options["output"] is not None or options["to"] is not None:
        return _into_an_output(ctx, inputs, as_json, options)
    for name, unset in _WITH_OUTPUT.items():
        if options.pop(name) != unset:
            raise click.UsageError(f"{_typed(name)} needs --output.", ctx)
    for name in ("output", "to"):
        del options[name]
    return _to_the_terminal(inputs, as_json, options)


def _refuse_empty(ctx: click.Context) -> None:
    """Names of files and folders that are empty are those of a variable that was not set."""
    for name in ("output", "to", "review", "record", "undo", "image_column", "image_root"):
        if ctx.params[name] == "":
            raise click.UsageError(f"{_typed(name)} is empty.", ctx)


def _refuse_beside_undo(ctx: click.Context) -> None:
    for name in ctx.params:
        if name != "undo" and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            what = "INPUT" if name == "inputs" else _typed(_SHORT.get(name, name))
            raise click.UsageError(f"--undo needs nothing but RECORD; leave out {what}.", ctx)


def _undo(record: str) -> int:
    from leyenda.volume.undo import undo

    undone = undo(record)
    for line in undone.refused:
        click.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)
    click.echo(undone.told(), err=True)
    return EXIT_SOME_FAILED if undone.refused else 0


def _typed(name: str) -> str:
    return "--" + name.replace("_", "-")


def _to_the_terminal(inputs: tuple[str, ...], as_json: bool, options: dict[str, Any]) -> int:
    from leyenda.volume.captioning import open_printed_run
    from leyenda.volume.json_line import json_line
    from leyenda.volume.printed_run import as_text

    run = open_printed_run(inputs, **options)
    try:
        for entry in run:
            if as_json:
                click.echo(json_line(entry.public()))
            elif entry.error is None:
                click.echo(as_text(entry, with_name=not run.single))
    finally:
        if summary := run.summary():
            click.echo(summary, err=True)
    return EXIT_SOME_FAILED if run.failures else 0


def _into_an_output(
    ctx: click.Context, inputs: tuple[str, ...], as_json: bool, options: dict[str, Any]
) -> int:
    from leyenda.volume.captioning import open_run
    from leyenda.volume.progress import Pace, watched
    from leyenda.volume.summary import summary

    run = open_run(inputs, **options)
    try:
        with _stopped_by_ctrl_c(run):
            for _ in watched(run, _progress(Pace(run), as_json)):
                pass
    finally:
        for line in summary(run, _again(ctx)):
            click.echo(line, err=True)
    if not run.finished:
        click.echo("leyenda: stopped.", err=True)
        return EXIT_INTERRUPTED
    return EXIT_SOME_FAILED if run.totals.failed else 0


def _again(ctx: click.Context) -> str:
    """The command that goes on, as it was typed; where a shell has put thousands of names into it, in words."""
    words = ctx.find_root().obj or ["caption", "..."]
    typed = "leyenda " + shlex.join(words).encode("utf-8", "backslashreplace").decode()
    return typed if len(typed) <= _LONGEST_COMMAND else "the same command as before, from the same folder"


def _progress(pace: Pace, as_json: bool) -> Progress:
    from leyenda.volume.progress import Bar, Events, LogLines

    if as_json:
        return Events(pace, click.echo)
    if sys.stderr.isatty():
        return Bar(pace)
    return LogLines(pace, lambda line: click.echo(line, err=True))


@contextlib.contextmanager
def _stopped_by_ctrl_c(run: VolumeRun) -> Iterator[None]:
    """The first Ctrl-C lets the run finish the batch in hand; a second one does not."""

    def stop(number: int, frame: FrameType | None) -> None:
        if run.stopping:
            raise KeyboardInterrupt
        run.stop()
        click.echo("\nFinishing the pictures in hand. Ctrl-C again stops at once.", err=True)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not in the main thread: whoever called has its own way to stop
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
