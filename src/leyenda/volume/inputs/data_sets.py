"""Data sets of the library `datasets`: a folder that it saved, or an id on the Hub, row by row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leyenda.data.embedded import find_picture_columns
from leyenda.data.formats.format import ReadOptions
from leyenda.data.formats.hub import fetched_picture, hub_error, load_splits, name_in_repository, undecoded
from leyenda.data.formats.saved_dataset import arrow_batches, dataset_parts
from leyenda.errors import LeyendaError, MissingExtra
from leyenda.volume.inputs.arrow_rows import item_of_values, items_of_batch
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import Item


@dataclass(frozen=True, slots=True)
class SavedDataset(Source):
    """A folder written by `save_to_disk`.

    Args:
        path: the folder.
        options: the columns that the user names.
    """

    path: str
    options: InputOptions
    is_table = True

    @property
    def folder(self) -> str:
        """The data set's own."""
        return self.path

    @property
    def columns(self) -> Sequence[str]:
        """Those of its first rows."""
        parts = dataset_parts(Path(self.path))
        batches = (batch for part in parts for batch in arrow_batches(part, self.path))
        names: list[str] = next(batches).data.schema.names
        return names

    def items(self) -> Iterator[Item]:
        """A picture a row, split by split."""
        root = self.options.image_root or self.path
        for part in dataset_parts(Path(self.path)):
            source = os.path.join(self.path, os.path.relpath(part.file, self.path))
            for batch in arrow_batches(part, root):
                wanted = find_picture_columns(batch.data.schema, source, self.options.image_column)
                names = [wanted.image, wanted.name, *self.options.columns]
                kept = [name for name in dict.fromkeys(names) if name in batch.data.schema.names]
                yield from items_of_batch(
                    batch.data.select(kept), wanted, source=source, first_row=batch.first_row, root=root
                )

    def count(self) -> int:
        """The number of rows."""
        return sum(
            len(batch.data) for part in dataset_parts(Path(self.path)) for batch in arrow_batches(part, "")
        )

    def check(self) -> None:
        """There must be a row."""
        if next(self.items(), None) is None:
            raise LeyendaError(
                f"The data set {self.path!r} has no rows.", "Each must hold or name a picture."
            )


@dataclass(frozen=True, slots=True)
class HubDataset(Source):
    """A data set on the Hub, read as it comes, without a copy of it.

    Args:
        id: `owner/name`.
        options: the column, the revision and the token.
    """

    id: str
    options: InputOptions
    is_table = True

    @property
    def columns(self) -> None:
        """They are looked for as soon as the first row comes."""
        return None

    def items(self) -> Iterator[Item]:
        """A picture a row, split by split."""
        options = ReadOptions(
            self.options.image_column,
            revision=self.options.revision,
            streaming=True,
            token=self.options.token,
        )
        try:
            import datasets
        except ImportError as error:
            raise MissingExtra("Reading a data set from the Hub", "datasets") from error
        try:
            for split, rows in load_splits(datasets, self.id, options).items():
                yield from self._rows(str(split), undecoded(rows))
        except LeyendaError:
            raise
        except Exception as error:
            raise hub_error(self.id, options, error) from error

    def count(self) -> None:
        """Known only when all of them were read."""

    def check(self) -> None:
        """There must be a row."""
        if next(self.items(), None) is None:
            raise LeyendaError(f"The data set {self.id!r} has no rows.", "Each must hold or name a picture.")

    def _rows(self, split: str, dataset: Any) -> Iterator[Item]:
        wanted = find_picture_columns(dataset.features.arrow_schema, self.id, self.options.image_column)
        if self.options.prompt is not None:
            self.options.prompt.check(dataset.features)
        names = [wanted.image, wanted.name, *self.options.columns]
        kept = [name for name in dict.fromkeys(names) if name in dataset.features]
        for number, row in enumerate(dataset.select_columns(kept), 1):
            row = {**row, wanted.image: fetched_picture(row[wanted.image], self.options.token)}
            yield item_of_values(row, wanted, f"{self.id}/{split}:{number}", "", name_in_repository)
