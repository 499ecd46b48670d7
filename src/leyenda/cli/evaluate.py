"""`leyenda evaluate`: how good a model is, by captions it generates and all references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from leyenda.cli import EXIT_SOME_FAILED
from leyenda.cli.scoring_options import metric_options, read_options
from leyenda.cli.shared_options import (
    exact_decode,
    model_revision,
    precision,
    shares,
    source_options,
    token,
)

_EVALUATE_HELP = """Score a model on image-caption pairs.

MODEL is a training run, a checkpoint folder, a hub id or `demo`. SOURCE is any source of pairs; a training run knows
its own. Captions are generated and compared with all references. Every score has its 95% interval; beside it stand the
best constant caption, the model's own captions shuffled over the pictures, and one person against the others where a
picture has several captions.

\b
  leyenda evaluate runs/mine
  leyenda evaluate microsoft/git-base-coco pictures/ --split all --beams 3
"""


@click.command(help=_EVALUATE_HELP, short_help="Score a model on pictures with captions.")
@click.argument("model")
@click.argument("source", required=False)
@model_revision
@click.option(
    "--split", metavar="NAME", default="test", show_default=True, help="train, validation, test, or all."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--predictions", metavar="FILE.jsonl", help="Write every caption, one JSON line a picture.")
@click.option("--report", metavar="FILE", help="Write the report: one HTML file, or Markdown (.md).")
@click.option("--beams", type=int, help="Beams of the search; 1 is greedy.  [default: the run's, or 1]")
@click.option("--max-length", type=int, help="Most tokens of a caption.  [default: the run's, or 50]")
@click.option("--batch-size", type=int, help="Pictures at a time.  [default: 16, or 256 on a GPU]")
@click.option(
    "--language",
    type=click.Choice(["en", "es"]),
    metavar="en|es",
    help="Of the captions and the report.  [default: the run's, or en]",
)
@exact_decode
@shares("the run's, or ")
@precision("auto")
@metric_options
@source_options
@token
def command(
    model: str,
    source: str | None,
    as_json: bool,
    predictions: str | None,
    report: str | None,
    **options: Any,
) -> int:
    """Evaluate, print, write what was asked for."""
    from leyenda.jobs.evaluate import evaluate
    from leyenda.jobs.output_file import REPORTS, check_output_file
    from leyenda.jobs.predictions_file import write_predictions
    from leyenda.reports import write_report
    from leyenda.reports.table import scores_table

    if predictions:
        check_output_file(predictions)
    if report:
        check_output_file(report, REPORTS)
    language = options["language"] or "en"
    result = evaluate(model, source, device=options["device"], **read_options(options))
    if predictions:
        write_predictions(Path(predictions), result)
    if report:
        write_report(report, title=model, result=result, language=language)
    if as_json:
        click.echo(json.dumps(result.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(scores_table(result))
    for image_id, skipped in list(result.skipped.items())[:20]:
        click.echo(f"Skipped {image_id}: {skipped.message}", err=True)
    return EXIT_SOME_FAILED if result.skipped else 0
