"""`leyenda score`: how good captions are that are there already; no model is needed."""

from __future__ import annotations

import json
from typing import Any

import click

from leyenda.cli.scoring_options import read_options, scoring_options

_SCORE_HELP = """Score captions that are there already, without a model.

FILE holds one caption a picture: JSON lines as `leyenda caption` and `leyenda evaluate` write them, a list of COCO
results, or a training run's folder. Every score has its 95% interval; beside it stand the best constant caption, the
captions shuffled over the pictures, and one person against the others where a picture has several captions.

\b
  leyenda score --predictions captions.jsonl --references pictures/
  leyenda score --predictions out.json --references captions_val2014.json
"""


@click.command(help=_SCORE_HELP, short_help="Score captions that are there already.")
@click.option("--predictions", metavar="FILE", required=True, help="The captions to score.")
@scoring_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--report", metavar="FILE", help="Write the report: one HTML file, or Markdown (.md).")
def command(predictions: str, as_json: bool, report: str | None, **options: Any) -> None:
    """Score, print, write what was asked for."""
    from leyenda.jobs.output_file import REPORTS, check_output_file
    from leyenda.jobs.score import score
    from leyenda.reports import write_report
    from leyenda.reports.table import scores_table

    if report:
        check_output_file(report, REPORTS)
    language = options["language"]
    scored = score(predictions, **read_options(options))
    if report:
        notes = scored.notes()
        write_report(report, title=predictions, result=scored.result, language=language, notes=notes)
    if as_json:
        click.echo(json.dumps(scored.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(scores_table(scored.result))
    for note in scored.notes():
        click.echo(note, err=as_json)
