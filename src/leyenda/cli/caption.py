"""`leyenda caption`: captions for files, folders, globs, addresses and standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from leyenda.cli import EXIT_SOME_FAILED
from leyenda.cli.shared_options import device, exact_decode, precision, token

if TYPE_CHECKING:
    from leyenda.jobs.caption import CaptionRun

_SAMPLING = ("temperature", "top_p", "seed")


@click.command("caption")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--model",
    default="microsoft/git-base-coco",
    show_default=True,
    metavar="ID_OR_FOLDER",
    help="A training run, a model's folder, a hub id, or demo.",
)
@click.option("--revision", metavar="NAME", help="Branch, tag or commit, where the model is a hub id.")
@click.option(
    "-o", "--output", type=click.Path(), metavar="FILE.jsonl", help="Write JSON lines, one a picture."
)
@click.option("--overwrite", is_flag=True, help="Replace the output file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
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
@click.option("--batch-size", default=8, show_default=True, help="Pictures at a time.")
@click.option(
    "--max-pixels", default=178_000_000, show_default=True, help="Skip pictures with more pixels, unopened."
)
@exact_decode
@device
@precision("auto")
@token
def command(inputs: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Say what is in each picture.

    INPUT is a picture file, a folder (all pictures in and below it), a pattern such as 'photos/**/*.jpg', an http(s)
    address, or - for standard input: one picture, or a list of names, one a line.

    One picture: its caption. Several: name, tab, caption. A picture that cannot be used stops no other: all such
    are listed at the end, and the exit code is 3.

    \b
      leyenda caption photo.jpg
      leyenda caption photos/ --model runs/mine --output captions.jsonl
    """  # noqa: D301
    from leyenda.jobs.caption import CaptionRun

    given = {name: options.pop(name) for name in _SAMPLING}
    options |= {name: value for name, value in given.items() if value is not None}
    for name in _SAMPLING:
        if name in options and not options["sample"]:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --sample.", click.get_current_context())
    if options["overwrite"] and not options["output"]:
        raise click.UsageError("--overwrite needs --output.", click.get_current_context())
    run = CaptionRun(inputs, **options)
    in_lines = as_json or options["output"] is not None
    try:
        _print_results(run, as_json=as_json, as_text=not in_lines)
    finally:
        if summary := run.summary(all_failures=not in_lines):
            click.echo(summary, err=True)
    return EXIT_SOME_FAILED if run.skipped else 0


def _print_results(run: CaptionRun, *, as_json: bool, as_text: bool) -> None:
    from tqdm import tqdm

    from leyenda.jobs import caption
    from leyenda.records import Caption

    # Where captions run over the terminal they are the progress; a bar would cut through them.
    hidden = not sys.stderr.isatty() or ((as_json or as_text) and sys.stdout.isatty())
    for name, result in tqdm(run, total=len(run), unit=" pictures", delay=2, disable=hidden, file=sys.stderr):
        if as_json:
            click.echo(caption.as_json(name, result))
        elif as_text and isinstance(result, Caption):
            click.echo(caption.as_text(name, result, with_name=not run.single))
