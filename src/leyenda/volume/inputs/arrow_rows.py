"""Rows of Arrow data that hold pictures or name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from leyenda.data.embedded import PictureColumns
from leyenda.records import PictureBytes
from leyenda.volume.inputs.tables import item_of_row
from leyenda.volume.item import Item, safe_relative


def items_of_batch(
    batch: pa.RecordBatch,
    wanted: PictureColumns,
    *,
    source: str,
    first_row: int,
    root: str,
    name_of: Callable[[str], str] = str,
) -> Iterator[Item]:
    """The pictures of some rows; no more than one of them is copied at a time.

    Args:
        batch: the rows.
        wanted: where the pictures are; all other columns go with them, for prompts.
        source: the user's file, for names.
        first_row: number of the first row in that file, from 1.
        root: folder that names of pictures are relative to.
        name_of: a picture's name for the path inside its value.
    """
    for index in range(len(batch)):
        row = {name: batch.column(name)[index].as_py() for name in batch.schema.names}
        yield item_of_values(row, wanted, f"{source}:{first_row + index}", root, name_of)


def item_of_values(
    row: Mapping[str, Any],
    wanted: PictureColumns,
    origin: str,
    root: str,
    name_of: Callable[[str], str] = str,
) -> Item:
    """The picture of one row."""
    value = row[wanted.image]
    columns = {name: cell for name, cell in row.items() if name != wanted.image}
    data, path = (value.get("bytes"), value.get("path") or "") if isinstance(value, Mapping) else (value, "")
    if not wanted.embedded:
        data, path = None, value or ""
    name = (row.get(wanted.name) if wanted.name else None) or name_of(path) or origin
    if data is None:
        return item_of_row(name, path, root, columns)
    relative = safe_relative(name) if name != origin else safe_relative(origin.replace("/", "-"))
    return Item(name, PictureBytes(data, repr(name)), relative, columns)
