"""Pictures that are values of an Arrow column: their bytes stay where they are, or go into the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os.path import join
from typing import Any

import numpy as np
import pyarrow as pa

from leyenda.data.beside import captions_in_lines
from leyenda.data.cache import Spool
from leyenda.data.columns import Columns, find_columns, find_image_column, split_in_cell
from leyenda.data.gather import Row
from leyenda.errors import DataError
from leyenda.records import Origin

NAME_COLUMNS = ("file_name", "filename", "image_path", "image_name", "filepath", "file_path")
"""Text columns that name the picture of the same row, looked for in this order."""

_ENDINGS = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
)

_BINARY = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


@dataclass(frozen=True, slots=True)
class ArrowColumns:
    """Which columns of an Arrow schema matter.

    Args:
        columns: of the picture, the captions and the split.
        embedded: whether the picture's column holds bytes; otherwise it holds names of files.
        name: text column that names an embedded picture.
        caption_lines: whether each line of a text is a caption, as in the tar shards that the table was made of.
    """

    columns: Columns
    embedded: bool
    name: str | None = None
    caption_lines: bool = False

    def needed(self) -> list[str]:
        """Names of all these columns."""
        chosen = [self.columns.image, *self.columns.captions, self.columns.split, self.name]
        return [name for name in dict.fromkeys(chosen) if name is not None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a source.

    Args:
        data: at least the columns that are needed.
        file: the user's file, for messages.
        first_row: number of the first of them in that file, from 1.
        split: split that the file or its folder tells; a split column goes before it.
        root: folder to which names of pictures that are not embedded are relative.
        mapped: the file's bytes when `data` may lie in them, so that pictures are referred to there.
    """

    data: pa.RecordBatch
    file: str
    first_row: int
    split: str | None
    root: str
    mapped: pa.Buffer | None = None


def find_arrow_columns(
    schema: pa.Schema, source: str, image: str | None, caption: str | None
) -> ArrowColumns:
    """Choose columns by name and type; the only column of embedded pictures is the picture's.

    Raises:
        DataError: as `leyenda.data.columns.find_columns`, or a column's type fits nothing.
    """
    columns = find_columns(schema.names, source, image or _only_with_bytes(schema), caption)
    picture = find_picture_columns(schema, source, columns.image)
    from_shards = "__key__" in schema.names and columns.captions == ("txt",)
    return ArrowColumns(columns, picture.embedded, picture.name, from_shards)


@dataclass(frozen=True, slots=True)
class PictureColumns:
    """Where the pictures of an Arrow schema are.

    Args:
        image: their column.
        embedded: whether it holds bytes; otherwise it holds names of files.
        name: text column that names an embedded picture.
    """

    image: str
    embedded: bool
    name: str | None


def find_picture_columns(schema: pa.Schema, source: str, image: str | None) -> PictureColumns:
    """Choose the picture's columns by name and type; the only column of embedded pictures is the picture's.

    Raises:
        DataError: as `leyenda.data.columns.find_image_column`, or the column's type fits nothing.
    """
    image = find_image_column(schema.names, source, image or _only_with_bytes(schema))
    kind = schema.field(image).type
    embedded = _holds_bytes(kind)
    if not embedded and not _holds_text(kind):
        raise DataError(
            f"{source}: the image column {image!r} holds {kind}, neither bytes nor file names.",
            "Name another with --image-column NAME.",
        )
    names = [name for name in NAME_COLUMNS if name in schema.names and _holds_text(schema.field(name).type)]
    return PictureColumns(image, embedded, names[0] if embedded and names else None)


def _only_with_bytes(schema: pa.Schema) -> str | None:
    with_bytes = [field.name for field in schema if _holds_bytes(field.type)]
    return with_bytes[0] if len(with_bytes) == 1 else None


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return any(of_type(kind) for of_type in _BINARY)


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(of_type(kind) for of_type in _TEXT)


def embedded_rows(
    batches: Iterable[Batch], wanted: ArrowColumns, spool: Spool, name_of: Callable[[str], str] = str
) -> Iterator[Row]:
    """Rows whose pictures are embedded.

    A picture is named by the column `wanted.name`, else by the path inside its value, else by its bytes.

    Args:
        batches: the rows.
        wanted: their columns.
        spool: takes the pictures that do not lie in a file as they are.
        name_of: a picture's name for the path inside its value.
    """
    for batch in batches:
        yield from _rows(batch, wanted, spool, name_of)


def _rows(batch: Batch, wanted: ArrowColumns, spool: Spool, name_of: Callable[[str], str]) -> Iterator[Row]:
    data, columns = batch.data, wanted.columns
    image = data.column(columns.image)
    is_struct = pa.types.is_struct(image.type)
    pictures = _Pictures(_field(image, "bytes") if is_struct else image, batch.mapped)
    paths = (
        _field(image, "path").to_pylist() if is_struct and image.type.get_field_index("path") >= 0 else None
    )
    names = data.column(wanted.name).to_pylist() if wanted.name else None
    captions = {name: data.column(name).to_pylist() for name in columns.captions}
    splits = data.column(columns.split).to_pylist() if columns.split else None
    for index in range(len(data)):
        origin = Origin(batch.file, batch.first_row + index)
        path = (paths[index] if paths else None) or ""
        said = columns.captions_in({column: values[index] for column, values in captions.items()}, origin)
        row = Row(
            (names[index] if names else None) or name_of(path),
            captions_in_lines(said[0])[0] if wanted.caption_lines else said,
            (split_in_cell(splits[index], origin) if splits else None) or batch.split,
            file=batch.file,
            line=origin.line,
        )
        yield _with_picture(row, pictures, index, path, batch, spool)


def _with_picture(row: Row, pictures: _Pictures, index: int, path: str, batch: Batch, spool: Spool) -> Row:
    picture = pictures[index]
    if picture is None:
        return row._replace(path=join(batch.root, path) if path else "")
    name = row.name or hashlib.sha256(picture).hexdigest()[:16] + ending_of(picture)
    place = pictures.place_in_file(index)
    if place is None:
        return row._replace(name=name, path=spool.path, offset=spool.add(picture), size=len(picture))
    return row._replace(name=name, path=batch.file, offset=place, size=len(picture))


def _field(struct: pa.StructArray, name: str) -> pa.Array:
    return struct.flatten()[struct.type.get_field_index(name)]


class _Pictures(Sequence[memoryview | None]):
    """The values of a binary column, without copying any; None where a row has none.

    Args:
        column: binary or large binary.
        mapped: the bytes of the file in which the column may lie.
    """

    def __init__(self, column: pa.Array, mapped: pa.Buffer | None) -> None:
        if pa.types.is_binary_view(column.type):
            column = column.cast(pa.large_binary())  # a view's values need not lie one behind the other
        _, offsets, data = column.buffers()
        width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
        every = np.frombuffer(offsets, width) if offsets is not None else np.zeros(1, width)
        self._offsets = every[column.offset : column.offset + len(column) + 1].tolist()
        self._valid = column.is_valid().to_pylist()
        self._data = memoryview(data) if data is not None else memoryview(b"")
        self._base: int | None = None
        if mapped is not None and data is not None:
            base = data.address - mapped.address
            # Compressed columns are decompressed elsewhere in memory.
            self._base = base if base >= 0 and base + data.size <= mapped.size else None

    def __len__(self) -> int:
        return len(self._valid)

    def __getitem__(self, index: Any) -> Any:
        return self._data[self._offsets[index] : self._offsets[index + 1]] if self._valid[index] else None

    def place_in_file(self, index: int) -> int | None:
        """The file's byte at which the picture begins, or None when it does not lie in the file as it is."""
        return None if self._base is None else self._base + self._offsets[index]


def ending_of(picture: bytes | memoryview) -> str:
    """The usual ending for a picture's bytes, or nothing when they are of no known kind.

    >>> ending_of(b"GIF89a")
    '.gif'
    """
    head = bytes(picture[:16])
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if head[4:8] == b"ftyp":
        return ".avif" if head[8:12].startswith(b"avi") else ".heic"
    return next((ending for magic, ending in _ENDINGS if head.startswith(magic)), "")
