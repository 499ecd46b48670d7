"""What CSV, TSV, JSONL and Parquet share: named columns, a row for each caption or each picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from os.path import join
from pathlib import Path
from typing import Any

from leyenda.data.columns import find_columns
from leyenda.data.formats.format import ReadOptions
from leyenda.data.gather import Row
from leyenda.data.pictures import NAMES_TRIED, picture_root
from leyenda.data.split_names import split_name, split_of_file, split_of_folder
from leyenda.errors import DataError
from leyenda.records import Origin


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows.

    Args:
        file: where it is.
        names: its columns.
        rows: line (or row) number from 1, and column name -> value.
    """

    file: Path
    names: list[str]
    rows: Iterator[tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source and the split that its name or folder tells."""

    file: Path
    split: str | None = None


def find_parts(source: Path, endings: tuple[str, ...]) -> list[Part]:
    """The files of a source: itself, or those of a folder, of its `data` folder or of its folders named as splits.

    A file that the user names directly has no split by its name; files found in a folder have.
    """
    if source.is_file():
        return [Part(source)]
    parts = [Part(file, split_of_file(file.stem)) for file in files_with(source, endings)]
    for folder in sorted(child for child in source.iterdir() if child.is_dir()):
        split = split_of_folder(folder.name)
        if split or folder.name == "data":
            parts += [Part(file, split or split_of_file(file.stem)) for file in files_with(folder, endings)]
    return parts


def files_with(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Files of a folder that end so, by name."""
    return sorted(
        child
        for child in folder.iterdir()
        if child.name.lower().endswith(endings) and not child.name.startswith(".") and child.is_file()
    )


def refuse_unrelated(parts: list[Part], source: Path) -> None:
    """Several files are one source only when each one's name tells its split.

    Raises:
        DataError: a file does not.
    """
    if len(parts) > 1 and not all(part.split for part in parts):
        names = ", ".join(str(part.file.relative_to(source)) for part in parts[:8])
        raise DataError(f"{source} holds several tables: {names}.", "Give the path of one of them.")


def table_rows(
    open_table: Callable[[Path], Table],
    part: Part,
    options: ReadOptions,
    *,
    root: str | None = None,
    convention: str | None = None,
) -> tuple[str, Iterator[Row]]:
    """The folder that the names of a table's pictures are relative to, and the table's rows.

    Args:
        open_table: reads the file.
        part: the file and its split; a `split` column goes before it.
        options: columns and folder that the user names.
        root: that folder where the format prescribes it; otherwise it is looked for.
        convention: image column that the format prescribes.
    """
    table = open_table(part.file)
    columns = find_columns(
        table.names, str(part.file), options.image_column, options.caption_column, convention=convention
    )
    first = list(islice(table.rows, NAMES_TRIED))
    if root is None or options.image_root:
        names = [picture_name(row.get(columns.image), Origin(str(part.file), line)) for line, row in first]
        root = picture_root(part.file, names, options.image_root)
    return root, _rows(part, root, columns.image, columns, chain(first, table.rows))


def _rows(
    part: Part, root: str, image: str, columns: Any, rows: Iterator[tuple[int, Mapping[str, Any]]]
) -> Iterator[Row]:
    file, split_column, captions_in = str(part.file), columns.split, columns.captions_in
    for line, row in rows:
        origin = Origin(file, line)
        name = picture_name(row.get(image), origin)
        split = split_name(row.get(split_column)) if split_column else None
        path = join(root, name) if name else ""
        yield Row(name, captions_in(row, origin), split or part.split, path, 0, None, file, line)


def picture_name(cell: Any, origin: Origin) -> str:
    """The name of a picture as a cell writes it, empty when it writes none.

    Raises:
        DataError: the cell is not text.
    """
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise DataError(f"{origin}: the picture is not a file name but {str(cell)[:40]!r}.")
    return cell.strip().removeprefix("./")
