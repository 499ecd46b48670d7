"""Parquet: a row an input, with the caption or the reason."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from leyenda.records import Skipped
from leyenda.volume.entry import Entry
from leyenda.volume.json_line import valid_text
from leyenda.volume.outputs.file_formats import FileFormat

ROWS_AT_ONCE = 16_384
"""Rows of a row group."""

SCHEMA = pa.schema(
    [
        pa.field("image", pa.string()),
        pa.field("caption", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("error", pa.string()),
        pa.field("message", pa.string()),
    ]
)


def _write(entries: Iterator[Entry], file: BinaryIO) -> None:
    with pq.ParquetWriter(file, SCHEMA) as writer:
        while some := list(islice(entries, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist([_row(entry) for entry in some], SCHEMA))


def _row(entry: Entry) -> dict[str, object]:
    error = entry.reason
    return {
        "image": valid_text(entry.image),
        "caption": None if error else valid_text(entry.caption or ""),
        "confidence": None if error else entry.confidence,
        "error": error.code if error else None,
        "message": valid_text(error.message) if error else None,
    }


def _read(path: Path) -> Iterator[Entry]:
    try:
        file = pq.ParquetFile(path)
        if file.schema_arrow.names != SCHEMA.names:
            raise ValueError("other columns")
        for batch in file.iter_batches(ROWS_AT_ONCE):
            for row in batch.to_pylist():
                if row["error"] and not row["caption"]:
                    yield Entry(row["image"], error=Skipped(row["error"], row["message"]))
                else:
                    yield Entry(row["image"], row["caption"], row["confidence"])
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


PARQUET = FileFormat("parquet", (".parquet",), _write, _read)
