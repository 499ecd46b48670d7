"""The outputs by name, and which one a command means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.errors import LeyendaError, near
from leyenda.jobs.output_file import check_output_file
from leyenda.text_control import TextRules
from leyenda.volume.existing import APPEND, PREPEND, SKIP
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.output import Output
from leyenda.volume.outputs.review_place import check_review_place

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
_OTHER_ENDINGS = (
    *(".tsv", ".xlsx", ".html", ".arrow", ".feather", ".tar", ".tgz"),
    *(".gz", ".bz2", ".xz", ".zst", ".zip"),
)
"""What no output is, whatever `--to` says."""

_NEEDED_BY = {
    "sidecar_name": ("sidecar",),
    "shard_size": ("webdataset",),
    "record": ("sidecar", "metadata"),
}
"""Options that belong to some outputs only."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where captions go.

    Args:
        output: file or folder.
        to: one of `OUTPUTS`; None tells by the ending of `output`.
        overwrite: replace a finished file, and the journal of another command.
        review: where captions of too little confidence go; None is beside the output.
        existing: what is done where a caption is; one of `leyenda.volume.existing.MODES`.
        sidecar_name: one of `leyenda.volume.outputs.sidecar.NAMES`; None is the first of them.
        shard_size: samples of a shard; None is a thousand.
        record: the record of a run that writes picture by picture; None is where its captions are.
        model: what pictures say of who wrote their captions.
        text: what new captions hold to already.
    """

    output: str | Path | None = None
    to: str | None = None
    overwrite: bool = False
    review: str | Path | None = None
    existing: str = SKIP
    sidecar_name: str | None = None
    shard_size: int | None = None
    record: str | Path | None = None
    model: str = ""
    text: TextRules | None = None


def open_output(options: OutputOptions, inputs: Inputs, *, with_review: bool) -> Output:
    """The output that is asked for.

    Args:
        options: where captions go.
        inputs: what is captioned.
        with_review: some captions may be too little sure.

    Raises:
        LeyendaError: there is no such output, the file's ending says another or none, or an option is none of its.
    """
    if options.output is not None and not os.fspath(options.output):
        raise LeyendaError("The output has no name.", "Name a file or a folder: --output captions.jsonl")
    if options.output is not None and os.fspath(options.output) == "-":
        raise LeyendaError(
            "The output '-' is no file.", "Leave out --output, and captions go to standard output as text."
        )
    name = options.to or _by_ending(options.output)
    if name not in OUTPUTS:
        raise LeyendaError(
            f"There is no output {name!r}.", near(name, OUTPUTS) or f"The outputs are: {', '.join(OUTPUTS)}."
        )
    _refuse_options_of_others(name, options)
    if name == "webdataset":
        return _webdataset(options, inputs, with_review=with_review)
    if name in _FILES:
        return _one_file(name, options, inputs, with_review=with_review)
    return _beside(name, options, inputs, with_review=with_review)


def _by_ending(output: str | Path | None) -> str:
    if output is None:
        raise LeyendaError("There is no output.", "Name a file or a folder: --output captions.jsonl")
    ending = Path(output).suffix.lower()
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    if os.path.isdir(output):
        raise LeyendaError(
            f"{os.fspath(output)!r} is a folder.",
            "Name a file in it, or say what to write there: --to webdataset, sidecar or metadata.",
        )
    raise LeyendaError(
        f"What to write into {os.fspath(output)!r} cannot be told by its ending.",
        f"Files end in {', '.join(_BY_ENDING)}; or say what it is: --to {', '.join(OUTPUTS)}.",
    )


def _refuse_options_of_others(name: str, options: OutputOptions) -> None:
    for option, outputs in _NEEDED_BY.items():
        if getattr(options, option) is not None and name not in outputs:
            raise LeyendaError(
                f"--{option.replace('_', '-')} has no meaning for the output {name}.",
                f"Leave it out; it belongs to --to {' or '.join(outputs)}.",
            )


def _review(options: OutputOptions, default: Path, inputs: Inputs, *outputs: Path) -> Path:
    """The review list: where the user says, or beside the captions."""
    path = Path(default if options.review is None else options.review)
    if options.review is not None and path.parent != default.parent:
        check_output_file(path)
    return check_review_place(path, outputs=outputs, inputs=inputs.files)


def _one_file(name: str, options: OutputOptions, inputs: Inputs, *, with_review: bool) -> Output:
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
    if os.fspath(options.output).endswith("/"):
        raise LeyendaError(
            f"{os.fspath(options.output)!r} names a folder.", f"The output {name} needs a file."
        )
    if _BY_ENDING.get(ending, name) != name or ending in _OTHER_ENDINGS:
        raise LeyendaError(
            f"What is written is {name}, not {ending}.",
            f"Name the file {path.stem}.{name}, or choose with --to.",
        )
    review = None
    if with_review:
        review = _review(options, path.with_name(f"{path.stem}.review.jsonl"), inputs, path)
    return OneFile(path, file_format(name), overwrite=options.overwrite, review=review)


def file_format(name: str) -> FileFormat:
    """The format of an output that is one file."""
    module, _, constant = _FILES[name].partition(":")
    format_: FileFormat = getattr(import_module(module), constant)
    return format_


def _webdataset(options: OutputOptions, inputs: Inputs, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.webdataset import INDEX_NAME, SHARD_SIZE, WebDataset

    if options.output is None:
        raise LeyendaError("The output webdataset needs a folder.", "Name it: --output shards")
    if options.existing != SKIP:
        raise LeyendaError(
            f"Shards that are finished are not changed: --existing {options.existing} cannot be.",
            "Write another folder, or begin anew with --overwrite.",
        )
    size = SHARD_SIZE if options.shard_size is None else options.shard_size
    if size < 1:
        raise LeyendaError(f"The shard size is {size}.", "It must be a whole number from 1 up.")
    folder = Path(options.output)
    review = None
    if with_review:
        review = _review(options, folder / "review.jsonl", inputs, folder / INDEX_NAME)
    return WebDataset(folder, size, overwrite=options.overwrite, review=review)


def _beside(name: str, options: OutputOptions, inputs: Inputs, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.beside import Beside, record_path

    output = None if options.output is None else os.path.expanduser(options.output)
    if output is not None and os.path.isfile(output):
        raise LeyendaError(f"{output!r} is a file.", f"The output {name} needs a folder, or none.")
    if name == "metadata" and output is not None and inputs.finds_pictures_in(output):
        raise LeyendaError(
            f"The copies in {output!r} would be found among the inputs as further pictures.",
            "Name a folder elsewhere: --output FOLDER.",
        )
    record = record_path(options.record, output, inputs.folder)
    review = None
    if with_review:
        review = _review(options, record.with_name(f"{record.stem}.review.jsonl"), inputs, record)
    return Beside(
        open_place(
            name, output, options.sidecar_name or "stem", options.existing, options.model, options.text
        ),
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
