"""Rows of any source become one table: a row an image, with all its captions, and ids that are unique."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leyenda.errors import DataError
from leyenda.records import ImageSource

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("path", pa.string()),  # absolute, or empty where a row names no picture
        pa.field("offset", pa.int64()),  # bytes
        pa.field("size", pa.int64()),  # bytes; null: up to the end of the file
        pa.field("captions", pa.list_(pa.string())),
        pa.field("split", pa.string()),  # null: in no split
        pa.field("origin_file", pa.string()),
        pa.field("origin_line", pa.int32()),  # from 1; 0: none
        pa.field("caption_lines", pa.list_(pa.int32())),  # line of each caption in origin_file
    ]
)

ROWS_AT_ONCE = 16384
"""Rows held as Python objects before they become Arrow columns."""


class Row(NamedTuple):
    """What one row, line or sidecar file of a source says about one picture.

    Args:
        name: the picture's name as the source writes it; empty when it names none.
        captions: the captions of this row, not yet stripped.
        split: the split that the source gives.
        path: file in which the picture lies.
        offset: first byte of the picture there.
        size: bytes of the picture, None up to the end.
        file: the user's file that says so.
        line: line in that file, from 1; 0 where there are none.
        caption_lines: line of each caption where they differ from `line`.
    """

    name: str
    captions: Sequence[str]
    split: str | None = None
    path: str = ""
    offset: int = 0
    size: int | None = None
    file: str = ""
    line: int = 0
    caption_lines: Sequence[int] | None = None


def gather(rows: Iterable[Row]) -> pa.Table:
    """One table of all rows; rows about the same picture become one, in the order of their first appearance.

    Args:
        rows: read once, and held as Python objects only some thousands at a time.

    Returns:
        Table with `SCHEMA`, one row an image.

    Raises:
        DataError: two different pictures of one split have the same name.
    """
    return join(collect(rows))


def collect(rows: Iterable[Row]) -> pa.Table:
    """The rows as a table with `SCHEMA`, not joined yet: names may repeat."""
    remaining = iter(rows)
    batches = []
    while chunk := list(islice(remaining, ROWS_AT_ONCE)):
        try:
            batches.append(_columns(chunk))
        except UnicodeEncodeError as error:
            raise _not_text(chunk) from error
    return pa.Table.from_batches(batches, SCHEMA).combine_chunks()


def join(table: pa.Table) -> pa.Table:
    """Make the rows of one picture one row; see `gather`.

    A name that stands in several splits gets the split in front (`train/a.jpg`, `test/a.jpg`), so that a check can
    report both.
    """
    if pc.count_distinct(table.column("id")).as_py() == len(table):
        return table
    ids, splits = _codes(table, "id").astype(np.int64), _codes(table, "split")
    _, first, group = np.unique(ids * (splits.max() + 1) + splits, return_index=True, return_inverse=True)
    first_of_row = first[group]
    _refuse_different_pictures(table, first_of_row)
    order = np.argsort(first_of_row, kind="stable")
    starts = np.flatnonzero(np.diff(first_of_row[order], prepend=-1))
    joined = table.take(pa.array(order[starts]))
    for name in ("captions", "caption_lines"):
        lists = _joined_lists(table.column(name).take(pa.array(order)), starts)
        joined = joined.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), lists)
    return _ids_with_split(joined.combine_chunks())


def _columns(rows: list[Row]) -> pa.RecordBatch:
    values: list[Any] = [
        [_id(row) for row in rows],
        [row.path for row in rows],
        [row.offset for row in rows],
        [row.size for row in rows],
        [[caption.strip() for caption in row.captions] for row in rows],
        [row.split or None for row in rows],
        [row.file for row in rows],
        [row.line for row in rows],
        [row.caption_lines or [row.line] * len(row.captions) for row in rows],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(values, SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def _not_text(rows: list[Row]) -> DataError:
    """The error for the first row with half a character, as broken JSON and file names of other encodings give."""
    for row in rows:
        for text in (row.name, row.path, row.file, row.split or "", *row.captions):
            if not _is_text(text):
                place = ascii(f"{row.file}:{row.line}" if row.line else row.file)[1:-1]
                return DataError(
                    f"{place}: {text[:60]!a} holds a character that is not whole.", "Rewrite it."
                )
    raise AssertionError("every text of these rows can be encoded")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _id(row: Row) -> str:
    # Rows without a picture stay apart and are named by their place, so that a check can report each of them.
    return row.name.removeprefix("./") or f"{row.file.rpartition('/')[2]}:{row.line}"


def _codes(table: pa.Table, name: str) -> Any:
    encoded = table.column(name).combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False)


def _joined_lists(lists: pa.ChunkedArray, starts: Any) -> pa.ListArray:
    """Lists joined in runs; `starts` are the positions at which a run begins."""
    ends = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy())])
    offsets = np.append(ends[starts], ends[-1]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pc.list_flatten(lists).combine_chunks())


def _refuse_different_pictures(table: pa.Table, first: Any) -> None:
    """`first`: for each row the first row that has its id and split."""
    paths, offsets = _codes(table, "path"), table.column("offset").to_numpy()
    elsewhere = np.flatnonzero((paths != paths[first]) | (offsets != offsets[first]))
    for other, one in zip(elsewhere.tolist(), first[elsewhere].tolist(), strict=True):
        if not _same_bytes(_image(table, one), _image(table, other)):
            raise _same_name(table, one, other)


def _image(table: pa.Table, row: int) -> ImageSource:
    return ImageSource(*(table.column(name)[row].as_py() for name in ("path", "offset", "size")))


def _same_bytes(one: ImageSource, other: ImageSource) -> bool:
    try:
        return one.read() == other.read()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return False


def _same_name(table: pa.Table, one: int, other: int) -> DataError:
    name = table.column("id")[one].as_py()
    return DataError(
        f"Two different pictures have the name {name!r}: {_place(table, one)} and {_place(table, other)}.",
        "Give each picture its own name.",
    )


def _place(table: pa.Table, row: int) -> str:
    file, line, path = (table.column(name)[row].as_py() for name in ("origin_file", "origin_line", "path"))
    return (f"{file}:{line}" if line else file) or path


def _ids_with_split(table: pa.Table) -> pa.Table:
    """Put the split in front of the ids that stand in several splits."""
    codes = _codes(table, "id")
    shared = np.bincount(codes)[codes] > 1
    if not shared.any():
        return table
    with_split = pc.binary_join_element_wise(table.column("split"), table.column("id"), "/")
    ids = pc.if_else(pa.array(shared), pc.coalesce(with_split, table.column("id")), table.column("id"))
    table = table.set_column(0, SCHEMA.field("id"), ids)
    codes = _codes(table, "id")
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[group] != np.arange(len(codes)))
    if len(repeated):
        raise _same_name(table, int(first[group][repeated[0]]), int(repeated[0]))
    return table
