"""`leyenda quickstart`: the embedded first run."""

from __future__ import annotations

import click

_QUICKSTART_HELP = """See the whole job in a few minutes, without data, network or GPU.

Draws cartoon creatures with captions, fine-tunes the small model that leyenda brings along (`demo`), scores it before
and after on pictures it has never seen, and writes a report. The folder is a training run like any other; its data/
is an ordinary data set.

\b
  leyenda quickstart
  leyenda quickstart --language es --output runs/criaturas
"""


@click.command(help=_QUICKSTART_HELP, short_help="See the whole job in a few minutes. Start here.")
@click.option(
    "--output", "-o", default="runs/quickstart", show_default=True, metavar="RUN", help="Folder of the run."
)
@click.option("--language", default="en", show_default=True, metavar="en|es", help="Of the captions.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the drawings and the training.")
def command(output: str, language: str, seed: int) -> None:
    """Run it and print where the report is."""
    from leyenda.quickstart.run import quickstart

    result = quickstart(output, language=language, seed=seed)
    click.echo(f"report\t{result.run.report}")
