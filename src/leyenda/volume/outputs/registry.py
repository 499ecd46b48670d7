"""The outputs by name, and which one a command means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.errors import LeyendaError, near
from leyenda.text_control import TextRules
from leyenda.volume.existing import APPEND, PREPEND, SKIP
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.output import Output

if TYPE_CHECKING:
    from leyenda.volume.outputs.beside import Place

_FILES = {
    "jsonl": "leyenda.volume.outputs.jsonl:JSONL",
    "csv": "leyenda.volume.outputs.csv_table:CSV",
    "parquet": "leyenda.volume.outputs.parquet:PARQUET",
}
OUTPUTS = (*_FILES, "webdataset", "sidecar", "metadata")
"""What `--to` takes."""

_BY_ENDING = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_OTHER_ENDINGS = (".tsv", ".xlsx", ".html")


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where captions go.

    Args:
        output: file or folder.
        to: one of `OUTPUTS`; None tells by the ending of `output`.
        overwrite: replace a finished file, and the journal of another command.
        review: where captions of too little confidence go; None is beside the output.
        existing: what is done where a caption is; one of `leyenda.volume.existing.MODES`.
        sidecar_name: one of `leyenda.volume.outputs.sidecar.NAMES`.
        shard_size: samples of a shard.
        record: the record of a run that writes picture by picture; None is where its captions are.
        model: what pictures say of who wrote their captions.
        text: what new captions hold to already.
    """

    output: str | Path | None = None
    to: str | None = None
    overwrite: bool = False
    review: str | Path | None = None
    existing: str = SKIP
    sidecar_name: str = "stem"
    shard_size: int = 1000
    record: str | Path | None = None
    model: str = ""
    text: TextRules | None = None


def open_output(options: OutputOptions, folder: str | None, *, with_review: bool) -> Output:
    """The output that is asked for.

    Args:
        options: where captions go.
        folder: the folder that was named as the only input, if one was.
        with_review: some captions may be too little sure.

    Raises:
        LeyendaError: there is no such output, or the file's ending says another.
    """
    name = options.to or _by_ending(options.output)
    if name not in OUTPUTS:
        raise LeyendaError(
            f"There is no output {name!r}.", near(name, OUTPUTS) or f"The outputs are: {', '.join(OUTPUTS)}."
        )
    if name == "webdataset":
        return _webdataset(options, with_review=with_review)
    if name in _FILES:
        return _one_file(name, options, with_review=with_review)
    return _beside(name, options, folder, with_review=with_review)


def _by_ending(output: str | Path | None) -> str:
    return _BY_ENDING.get(Path(output or "").suffix.lower(), "jsonl")


def _one_file(name: str, options: OutputOptions, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.one_file import OneFile

    if options.output is None:
        raise LeyendaError(f"The output {name} needs a file.", f"Name it: --output captions.{name}")
    if options.overwrite and options.existing in (APPEND, PREPEND):
        raise LeyendaError(
            f"--overwrite begins anew, so that --existing {options.existing} finds nothing to join captions to.",
            "Leave out one of them.",
        )
    path = Path(options.output)
    ending = path.suffix.lower()
    if _BY_ENDING.get(ending, name) != name or ending in _OTHER_ENDINGS:
        raise LeyendaError(
            f"What is written is {name}, not {ending}.",
            f"Name the file {path.stem}.{name}, or choose with --to.",
        )
    review = Path(options.review or path.with_name(f"{path.stem}.review.jsonl")) if with_review else None
    return OneFile(path, file_format(name), overwrite=options.overwrite, review=review)


def file_format(name: str) -> FileFormat:
    """The format of an output that is one file."""
    module, _, constant = _FILES[name].partition(":")
    format_: FileFormat = getattr(import_module(module), constant)
    return format_


def _webdataset(options: OutputOptions, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.webdataset import WebDataset

    if options.output is None:
        raise LeyendaError("The output webdataset needs a folder.", "Name it: --output shards")
    if options.existing != SKIP:
        raise LeyendaError(
            f"Shards that are finished are not changed: --existing {options.existing} cannot be.",
            "Write another folder, or begin anew with --overwrite.",
        )
    if options.shard_size < 1:
        raise LeyendaError(f"The shard size is {options.shard_size}.", "It must be a whole number from 1 up.")
    folder = Path(options.output)
    review = Path(options.review or folder / "review.jsonl") if with_review else None
    return WebDataset(folder, options.shard_size, overwrite=options.overwrite, review=review)


def _beside(name: str, options: OutputOptions, folder: str | None, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.beside import Beside, record_path

    output = None if options.output is None else os.path.expanduser(options.output)
    if output is not None and os.path.isfile(output):
        raise LeyendaError(f"{output!r} is a file.", f"The output {name} needs a folder, or none.")
    record = record_path(options.record, output, folder)
    review = Path(options.review or record.with_name(f"{record.stem}.review.jsonl")) if with_review else None
    return Beside(
        open_place(name, output, options.sidecar_name, options.existing, options.model, options.text),
        record,
        existing=options.existing,
        output=None if output is None else Path(output),
        review=review,
    )


def open_place(
    name: str,
    output: str | None,
    sidecar_name: str,
    existing: str,
    model: str,
    text: TextRules | None = None,
) -> Place:
    """How one caption is kept, for outputs of one file a picture."""
    if name == "sidecar":
        from leyenda.volume.outputs.sidecar import Sidecar

        return Sidecar(output, sidecar_name, existing, text)
    from leyenda.volume.outputs.metadata import Metadata

    return Metadata(output, existing, model, text)
