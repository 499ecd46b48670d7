"""CSV: a header, then a row an input, with the caption or the reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from leyenda.records import Skipped
from leyenda.volume.entry import Entry
from leyenda.volume.outputs.file_formats import FileFormat

COLUMNS = ("image", "caption", "confidence", "error", "message")


class _Rows:
    """Takes rows that end in CR LF, so that either of them is quoted in a name, and writes them with LF."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """Write a row."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


def _write(entries: Iterator[Entry], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
    writer = csv.writer(_Rows(text), lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        error = entry.reason
        number = "" if entry.confidence is None or error else entry.confidence
        reason = (error.code, error.message) if error else ("", "")
        writer.writerow((entry.image, entry.caption or "", number, *reason))
    text.detach()


def _read(path: Path) -> Iterator[Entry]:
    csv.field_size_limit(1 << 30)
    with open(path, encoding="utf-8-sig", newline="") as file:  # spreadsheets put a byte order mark in front
        rows = csv.reader(file)
        if tuple(next(rows, ())) != COLUMNS:
            raise ValueError("other columns")
        for image, caption, confidence, error, message in rows:
            if error and not caption:
                yield Entry(image, error=Skipped(error, message))
            else:
                yield Entry(image, caption, float(confidence) if confidence else None)


CSV = FileFormat("csv", (".csv",), _write, _read)
