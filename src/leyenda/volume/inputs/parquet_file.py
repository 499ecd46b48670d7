"""Parquet files that hold pictures or name them, some rows at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leyenda.data.embedded import PictureColumns, find_picture_columns
from leyenda.data.formats.parquet import open_parquet_file, parquet_batches
from leyenda.data.pictures import NAMES_TRIED
from leyenda.errors import LeyendaError
from leyenda.volume.inputs.arrow_rows import items_of_batch
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.source import Source
from leyenda.volume.inputs.tables import root_of
from leyenda.volume.item import Item

ROWS_AT_ONCE = 16
"""Rows of embedded pictures in memory at once."""
NAMES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class ParquetTable(Source):
    """A Parquet file.

    Args:
        path: the file.
        options: the columns and the folder that the user names.
    """

    path: str
    options: InputOptions
    is_table = True

    @property
    def file(self) -> str:
        """The table."""
        return self.path

    def items(self) -> Iterator[Item]:
        """A picture a row."""
        file, wanted = self._opened()
        root = os.path.dirname(self.path)
        if not wanted.embedded:
            root = root_of(self.path, self._first_names(wanted), self.options.image_root)
        further = [name for name in self.options.columns if name in file.schema_arrow.names]
        columns = [name for name in dict.fromkeys((wanted.image, wanted.name, *further)) if name is not None]
        rows = ROWS_AT_ONCE if wanted.embedded else NAMES_AT_ONCE
        first = 1
        for batch in parquet_batches(file, Path(self.path), columns, rows):
            yield from items_of_batch(batch, wanted, source=self.path, first_row=first, root=root)
            first += len(batch)

    @property
    def columns(self) -> Sequence[str]:
        """All of them."""
        names: list[str] = self._opened()[0].schema_arrow.names
        return names

    def count(self) -> int:
        """The number of rows, from the file's end."""
        return int(self._opened()[0].metadata.num_rows)

    def check(self) -> None:
        """There must be a row, and a column of pictures."""
        if not self.count():
            raise LeyendaError(
                f"The table {self.path!r} has no rows.", "Each row must hold or name a picture."
            )

    def _opened(self) -> tuple[pq.ParquetFile, PictureColumns]:
        file = open_parquet_file(Path(self.path))
        return file, find_picture_columns(file.schema_arrow, self.path, self.options.image_column)

    def _first_names(self, wanted: PictureColumns) -> Iterator[str]:
        file, _ = self._opened()
        batches: Iterator[pa.RecordBatch] = parquet_batches(
            file, Path(self.path), [wanted.image], NAMES_TRIED
        )
        return (name or "" for batch in islice(batches, 1) for name in batch.column(0).to_pylist())
