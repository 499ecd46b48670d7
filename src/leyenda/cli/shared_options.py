"""Options that several verbs have, written once so that they read and mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

SOURCE_OPTIONS = ("format_", "image_column", "caption_column", "image_root", "revision", "streaming")
"""What `source_options` gives a command, as `leyenda.data.load_examples` takes them (`format_` as `format`)."""


def source_options(command: Command) -> Command:
    """How SOURCE is read; see `SOURCE_OPTIONS`."""
    for option in reversed(
        (
            click.option(
                "--format", "format_", metavar="NAME", help="Format of SOURCE, if it is not detected."
            ),
            click.option("--image-column", metavar="NAME", help="Column with the pictures."),
            click.option("--caption-column", metavar="NAME", help="Column with the captions."),
            click.option(
                "--image-root", metavar="FOLDER", help="Folder of the pictures, if not beside SOURCE."
            ),
            click.option(
                "--revision", metavar="NAME", help="Branch, tag or commit, where SOURCE is a hub id."
            ),
            click.option(
                "--streaming", is_flag=True, help="Read a hub id without keeping a second copy of it."
            ),
        )
    ):
        command = option(command)
    return command


def shares(run: str = "") -> Callable[[Command], Command]:
    """How a source without splits is divided.

    Args:
        run: what goes before the usual shares, for the help.
    """

    def add(command: Command) -> Command:
        for option in (
            click.option("--split-seed", type=int, help=f"Of that division.  [default: {run}0]"),
            _share("--test", "for the final scores", run),
            _share("--validation", "for choosing the best model", run),
        ):
            command = option(command)
        return command

    return add


def _share(name: str, purpose: str, run: str) -> Callable[[Command], Command]:
    return click.option(
        name, type=float, metavar="SHARE", help=f"Of a source without splits, {purpose}.  [default: {run}0.1]"
    )


def precision(default: str | None) -> Callable[[Command], Command]:
    """The number format; None leaves it to the recipe."""
    return click.option(
        "--precision",
        default=default,
        metavar="NAME",
        help="auto, fp32, bf16, fp16, or int8 to caption on a CPU; auto suits the device.  [default: auto]",
    )


device = click.option(
    "--device", metavar="NAME", help="cpu, cuda, cuda:N or mps.  [default: the best one here]"
)

exact_decode = click.option(
    "--exact-decode",
    is_flag=True,
    help="Decode every pixel of large JPEGs: slower, and hardly to be seen by a model.",
)

model_revision = click.option(
    "--model-revision", metavar="NAME", help="Branch, tag or commit, where the model is a hub id."
)

token = click.option(
    "--token",
    metavar="TOKEN",
    help="Hub token.  [default: HF_TOKEN, or that of `hf auth login`]",
)


def engine_options(command: Command) -> Command:
    """What runs the work: this process, or Ray on one machine or many."""
    for option in reversed(
        (
            click.option(
                "--engine",
                type=click.Choice(["plain", "ray"]),
                default="plain",
                show_default=True,
                help="ray: on a Ray cluster, or several processes here.",
            ),
            click.option(
                "--workers",
                type=click.IntRange(min=1),
                metavar="N",
                help="With --engine ray: processes.  [default: one a GPU, or one]",
            ),
            click.option(
                "--address",
                metavar="HOST:PORT",
                help="With --engine ray: a running cluster.  [default: one here]",
            ),
        )
    ):
        command = option(command)
    return command


def check_engine(engine: str, workers: int | None, address: str | None) -> None:
    """See that the engine is there, before anything else is loaded.

    Raises:
        MissingExtra: Ray is not installed.
        click.UsageError: options of Ray without it.
    """
    if engine == "ray":
        from leyenda.jobs.ray_cluster import require_ray

        require_ray()
    elif workers is not None or address is not None:
        raise click.UsageError("--workers and --address need --engine ray.", click.get_current_context())
