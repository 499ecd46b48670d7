"""Parquet: names of picture files, or the pictures themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from os.path import abspath
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leyenda.data.cache import cached_rows, file_identity
from leyenda.data.embedded import ArrowColumns, Batch, embedded_rows, find_arrow_columns
from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.tables import Part, Table, find_parts, table_rows
from leyenda.data.gather import gather, join
from leyenda.data.pictures import PictureCopier
from leyenda.errors import DataError

ROWS_AT_ONCE = 64
"""Rows of embedded pictures held in memory at once."""

_MARK = b"PAR1"
"""The first and the last bytes of every Parquet file."""

NAMES_AT_ONCE = 16384
BYTES_AT_ONCE = 64 << 20


def open_parquet_file(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        DataError: it is not a Parquet file or is damaged.
    """
    try:
        return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (FileNotFoundError, PermissionError):
        raise
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> DataError:
    """The error to raise for what pyarrow cannot read; its own words are about footers and pages."""
    with open(path, "rb") as file:
        begins = file.read(4) == _MARK
        file.seek(max(0, path.stat().st_size - 4))
        ends = file.read(4) == _MARK
    if not begins:
        return DataError(
            f"{path} is not a Parquet file.", "If it is text, name its format, as in --format csv."
        )
    damage = "is damaged" if ends else "is not a whole Parquet file: its end is missing"
    return DataError(f"{path} {damage}.", "Copy or download it again.")


def parquet_batches(
    file: pq.ParquetFile, path: Path, columns: list[str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Some columns of a Parquet file, so many rows at a time.

    Raises:
        DataError: it is damaged.
    """
    try:
        yield from file.iter_batches(batch_size=rows, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path) from error


def open_parquet(path: Path) -> Table:
    """Open a Parquet file whose pictures are named, as a table of all its plain columns.

    Raises:
        DataError: it is not a Parquet file or is damaged.
    """
    file = open_parquet_file(path)
    return Table(file.schema_arrow.names, _rows(file, path, file.schema_arrow.names))


def _rows(file: pq.ParquetFile, path: Path, columns: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 1
    for batch in parquet_batches(file, path, columns, NAMES_AT_ONCE):
        values = [batch.column(name).to_pylist() for name in columns]
        for row in zip(*values, strict=True):
            yield number, dict(zip(columns, row, strict=True))
            number += 1


def _detect(source: Path) -> bool:
    if source.is_file():
        with open(source, "rb") as file:
            return source.name.lower().endswith(".parquet") or file.read(4) == _MARK
    return bool(find_parts(source, (".parquet",)))


def _read(source: str, options: ReadOptions) -> Examples:
    parts = find_parts(Path(source), (".parquet",))
    if not parts:
        raise DataError(f"{source} holds no .parquet file.")
    schema = open_parquet_file(parts[0].file).schema_arrow
    wanted = find_arrow_columns(schema, str(parts[0].file), options.image_column, options.caption_column)
    for part in parts[1:]:
        missing = set(wanted.needed()) - set(open_parquet_file(part.file).schema_arrow.names)
        if missing:
            raise DataError(f"{part.file} has no column {min(missing)!r}, and {parts[0].file} has.")
    if wanted.embedded:
        return _read_embedded(parts, wanted, options)
    read = [table_rows(_named_table(part, wanted), part, options) for part in parts]
    return Examples(gather(chain.from_iterable(part.rows for part in read)), read[0].root)


def _named_table(part: Part, wanted: ArrowColumns) -> Table:
    file = open_parquet_file(part.file)
    return Table(file.schema_arrow.names, _rows(file, part.file, wanted.needed()))


def _read_embedded(parts: list[Part], wanted: ArrowColumns, options: ReadOptions) -> Examples:
    root = abspath(options.image_root or parts[0].file.parent)
    files = [[*file_identity(part.file), str(part.file), part.split] for part in parts]
    identity = ["parquet", files, wanted.needed(), root]
    # Spooled pictures lie in the cache, so that there is no folder that they could leave.
    batches = chain.from_iterable(_embedded_batches(part, wanted, root) for part in parts)
    return Examples(join(cached_rows(identity, lambda spool: embedded_rows(batches, wanted, spool))))


def _embedded_batches(part: Part, wanted: ArrowColumns, root: str) -> Iterator[Batch]:
    number = 1
    file = open_parquet_file(part.file)
    for batch in parquet_batches(file, part.file, wanted.needed(), ROWS_AT_ONCE):
        yield Batch(batch, str(part.file), number, part.split, root)
        number += len(batch)


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    """One file for each split; splits of other names than the usual go into a column, since no file name tells them."""
    splits = examples.splits()
    if splits.keys() - set(FIRST_SPLITS):
        _write_file(examples, folder / "captions.parquet", pictures, with_split=True)
        return
    for split in (None, *splits):
        part = examples.select(index for index, example in enumerate(examples) if example.split == split)
        if len(part):
            _write_file(part, folder / f"{split or 'captions'}.parquet", pictures, with_split=False)


def _write_file(examples: Examples, path: Path, pictures: PictureCopier, *, with_split: bool) -> None:
    schema = picture_schema(with_split)
    with pq.ParquetWriter(path, schema) as writer:
        for rows in picture_rows(examples, pictures, with_split):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def picture_schema(with_split: bool) -> pa.Schema:
    """Columns of a file with embedded pictures, marked so that the library `datasets` shows them as pictures."""
    text = {"dtype": "string", "_type": "Value"}
    fields = [
        (pa.field("image", pa.struct({"bytes": pa.binary(), "path": pa.string()})), {"_type": "Image"}),
        (pa.field("file_name", pa.string()), text),
        (pa.field("captions", pa.list_(pa.string())), [text]),
    ]
    if with_split:
        fields.append((pa.field("split", pa.string()), text))
    features = {field.name: feature for field, feature in fields}
    said = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    return pa.schema([field for field, _ in fields], said)


def picture_rows(
    examples: Examples, pictures: PictureCopier, with_split: bool
) -> Iterator[list[dict[str, object]]]:
    """Rows with embedded pictures, some tens of megabytes at a time."""
    rows: list[dict[str, object]] = []
    held = 0
    for example in examples:
        data = pictures.bytes_of(example)
        row: dict[str, object] = {
            "image": {"bytes": data, "path": example.id},
            "file_name": example.id,
            "captions": list(example.captions),
        }
        rows.append(row | ({"split": example.split} if with_split else {}))
        held += len(data)
        if held >= BYTES_AT_ONCE:
            yield rows
            rows, held = [], 0
    if rows:
        yield rows


PARQUET = Format(
    "parquet",
    "a .parquet file, or a folder of them (also data/train-00000-of-00001.parquet)",
    _detect,
    _read,
    _write,
)
