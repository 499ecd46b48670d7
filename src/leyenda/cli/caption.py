"""`leyenda caption`: captions for files, folders, globs, addresses and standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from leyenda.jobs.caption import CaptionRun

_SAMPLING = ("temperature", "top_p", "seed")


@click.command("caption")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--model",
    default="microsoft/git-base-coco",
    show_default=True,
    metavar="MODEL",
    help="A model's folder, a training run's folder, a hub id, or demo.",
)
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
    "--temperature", type=float, help="With --sample: below 1 more careful, above 1 more varied.  [1.0]"
)
@click.option(
    "--top-p",
    type=float,
    help="With --sample: draw from the likeliest words that reach this probability.  [1.0]",
)
@click.option("--seed", type=int, help="With --sample: another seed, another draw.  [0]")
@click.option(
    "--batch-size", default=8, show_default=True, help="Pictures that go through the model together."
)
@click.option("--device", help="cpu, cuda, cuda:N or mps.  [the best one here]")
@click.option(
    "--precision", default="auto", show_default=True, help="auto, fp32, bf16 or fp16; auto is fp32 on a CPU."
)
@click.option("--revision", help="Branch, tag or commit of a hub id.")
@click.option("--token", help="Hub token.  [the one that `hf auth login` stored]")
def command(inputs: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Say what is in each picture.

    INPUT is a picture file, a folder (all pictures in and below it), a pattern such as 'photos/**/*.jpg', an http(s)
    address, or - for standard input: one picture, or a list of names, one a line.

    One picture: its caption. Several: name, tab, caption. A picture that cannot be used stops no other: all such
    are listed at the end, and the exit code is 3.
    """
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
    return 3 if run.skipped else 0


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
