"""`leyenda compare`: which of two sets of captions is better, and whether so many pictures can tell."""

from __future__ import annotations

import json
from typing import Any

import click

from leyenda.cli.scoring_options import read_options, scoring_options

_COMPARE_HELP = """Compare two sets of captions of the same pictures.

A and B are files of captions (see `leyenda score`) or training runs. For every score: both values, the difference with
its 95% interval (paired bootstrap over pictures), the p-value of a permutation test, and on how many pictures B wins,
loses or ties; then the pictures on which the two differ most.

\b
  leyenda compare runs/monday runs/tuesday
  leyenda compare a.jsonl b.jsonl --references pictures/ --split test
"""


@click.command(help=_COMPARE_HELP, short_help="Compare two sets of captions of the same pictures.")
@click.argument("a")
@click.argument("b")
@scoring_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--report", metavar="FILE.html", help="Write both, side by side, as one HTML file.")
def command(a: str, b: str, as_json: bool, report: str | None, **options: Any) -> None:
    """Compare, print, write what was asked for."""
    from leyenda.jobs.compare import compare
    from leyenda.jobs.comparison_text import comparison_text
    from leyenda.jobs.output_file import REPORTS, check_output_file
    from leyenda.reports import write_comparison

    if report:
        check_output_file(report, REPORTS)
    language = options["language"]
    found = compare(a, b, **read_options(options))
    if report:
        write_comparison(report, found, language=language)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(comparison_text(found))
