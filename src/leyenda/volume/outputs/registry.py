"""The outputs by name, and which one a command means."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from leyenda.errors import LeyendaError, near
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.output import Output

_FILES = {
    "jsonl": "leyenda.volume.outputs.jsonl:JSONL",
    "csv": "leyenda.volume.outputs.csv_table:CSV",
    "parquet": "leyenda.volume.outputs.parquet:PARQUET",
}
OUTPUTS = (*_FILES,)
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
    """

    output: str | Path | None = None
    to: str | None = None
    overwrite: bool = False
    review: str | Path | None = None


def open_output(options: OutputOptions, *, with_review: bool) -> Output:
    """The output that is asked for.

    Args:
        options: where captions go.
        with_review: some captions may be too little sure.

    Raises:
        LeyendaError: there is no such output, or the file's ending says another.
    """
    name = options.to or _by_ending(options.output)
    if name not in OUTPUTS:
        raise LeyendaError(
            f"There is no output {name!r}.", near(name, OUTPUTS) or f"The outputs are: {', '.join(OUTPUTS)}."
        )
    return _one_file(name, options, with_review=with_review)


def _by_ending(output: str | Path | None) -> str:
    return _BY_ENDING.get(Path(output or "").suffix.lower(), "jsonl")


def _one_file(name: str, options: OutputOptions, *, with_review: bool) -> Output:
    from leyenda.volume.outputs.one_file import OneFile

    if options.output is None:
        raise LeyendaError(f"The output {name} needs a file.", f"Name it: --output captions.{name}")
    path = Path(options.output)
    ending = path.suffix.lower()
    if _BY_ENDING.get(ending, name) != name or ending in _OTHER_ENDINGS:
        raise LeyendaError(
            f"What is written is {name}, not {ending}.",
            f"Name the file {path.stem}.{name}, or choose with --to.",
        )
    module, _, constant = _FILES[name].partition(":")
    format_: FileFormat = getattr(import_module(module), constant)
    review = Path(options.review or path.with_name(f"{path.stem}.review.jsonl")) if with_review else None
    return OneFile(path, format_, overwrite=options.overwrite, review=review)
