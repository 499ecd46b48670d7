"""`leyenda push`: share a trained model on the hub."""

from __future__ import annotations

import click

from leyenda.cli.shared_options import token


@click.command("push", short_help="Share a trained model on the hub.")
@click.argument("run", type=click.Path())
@click.argument("repo")
@click.option("--private", is_flag=True, help="Make the repository private.")
@click.option("--revision", metavar="BRANCH", help="Push to this branch; made where there is none.")
@click.option(
    "--message",
    metavar="TEXT",
    help="Message of the commit.",
    default="Upload a captioning model with leyenda",
    show_default=True,
)
@click.option(
    "--license",
    "license_id",
    metavar="ID",
    help="Licence for the card, as the hub names it: apache-2.0, mit, …",
)
@click.option("--language", metavar="CODE", help="Language of the captions for the card: en, es, …")
@click.option("--dry-run", is_flag=True, help="Show the files (stderr) and the card (stdout), send nothing.")
@token
def command(
    run: str,
    repo: str,
    private: bool,
    token: str | None,
    revision: str | None,
    message: str,
    license_id: str | None,
    language: str | None,
    dry_run: bool,
) -> None:
    """Share the model of RUN (a training run, or a model's folder) as REPO (name/model) on the hub.

    Sends the model, its processor, a model card, the recipe and the scores, in one commit. Checkpoints and
    pictures stay here. A README.md that you put into RUN is sent in place of the card.

    \b
      leyenda push runs/mine your-name/birds --dry-run
      leyenda push runs/mine your-name/birds --private
    """  # noqa: D301
    from leyenda.jobs.push import prepare, push

    if dry_run:
        parcel = prepare(run, repo, license_id=license_id, language=language)
        click.echo(parcel.summary(repo), err=True)
        click.echo(parcel.card, nl=False)
        return
    address = push(
        run,
        repo,
        private=private,
        token=token,
        revision=revision,
        message=message,
        license_id=license_id,
        language=language,
    )
    click.echo(address)
