"""Tables that name pictures: CSV, TSV and JSON lines, row by row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from leyenda.data.columns import find_image_column
from leyenda.data.formats.delimited import open_delimited_by_row
from leyenda.data.formats.json_lines import open_json_lines_by_row
from leyenda.data.formats.tables import TableByRow, picture_name
from leyenda.data.pictures import NAMES_TRIED, picture_root
from leyenda.errors import DataError, LeyendaError
from leyenda.records import Origin
from leyenda.volume.inputs.files import named_picture
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import BAD_ROW, Item, is_address, safe_relative, unusable_item

DELIMITED = (".csv", ".tsv")
JSON = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class NamingTable(Source):
    """A table whose rows name pictures by path or address.

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
        """A picture a row; what is in the other columns goes with it."""
        table = self._opened()
        image = find_image_column(table.names, self.path, self.options.image_column)
        rows = ((line, row, self._picture_in(row, image, line)) for line, row in table.rows)
        first = list(islice(rows, NAMES_TRIED))
        names = (name for _, _, name in first if isinstance(name, str))
        root = root_of(self.path, names, self.options.image_root)
        for line, row, name in chain(first, rows):
            if isinstance(name, DataError) or isinstance(row, DataError):
                yield unusable_item(f"{self.path}:{line}", BAD_ROW, str(name))
            else:
                yield item_of_row(name or f"{self.path}:{line}", name, root, row)

    def _picture_in(self, row: Mapping[str, Any] | DataError, image: str, line: int) -> str | DataError:
        """What a row calls its picture; or why it does not."""
        if isinstance(row, DataError):
            return row
        try:
            return picture_name(row.get(image), Origin(self.path, line))
        except DataError as error:
            return error

    @property
    def columns(self) -> Sequence[str]:
        """The names in its header, or in its first rows."""
        return self._opened().names

    def count(self) -> int:
        """The number of its rows."""
        return sum(1 for _ in self._opened().rows)

    def check(self) -> None:
        """There must be a row, and of the first ones not every one may be unreadable."""
        first = list(islice(self.items(), NAMES_TRIED))
        if not first:
            raise LeyendaError(f"The table {self.path!r} has no rows.", "Each row must name a picture.")
        reasons = [item.unusable for item in first]
        if reasons[0] is not None and all(reason and reason.code == BAD_ROW for reason in reasons):
            raise DataError(reasons[0].message)

    def _opened(self) -> TableByRow:
        ending = os.path.splitext(self.path)[1].lower()
        return (open_delimited_by_row if ending in DELIMITED else open_json_lines_by_row)(Path(self.path))


def root_of(table: str, names: Iterator[str], given: str | None) -> str:
    """The folder that a table's names are relative to, as of `picture_root`; addresses among them are passed over."""
    files = (name for name in names if not is_address(name))
    return picture_root(Path(table), files, Path(given) if given else None)


def item_of_row(name: str, picture: str, root: str, columns: Mapping[str, Any]) -> Item:
    """The item of a row that names a picture.

    Args:
        name: what the row's picture is called.
        picture: its path below `root`, or its address; empty where the row names none.
        root: a folder.
        columns: the row.
    """
    if is_address(picture):
        return named_picture(picture, dict(columns))
    path = os.path.join(root, picture) if picture else ""
    if path:
        path = os.path.relpath(path) if not os.path.isabs(picture) else path
    return Item(name, path, safe_relative(picture), columns)
