"""What tables share: named columns, a row for each caption or each picture, one file or a file for each split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from os.path import join
from pathlib import Path
from typing import Any

from leyenda.data.columns import Columns, find_columns, split_in_cell
from leyenda.data.examples import Examples
from leyenda.data.formats.format import ReadOptions
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import NAMES_TRIED, name_below, picture_root
from leyenda.data.split_names import split_of_file, split_of_folder
from leyenda.errors import DataError
from leyenda.records import Origin


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows.

    Args:
        names: its columns.
        rows: line (or row) number from 1, and column name -> value.
    """

    names: list[str]
    rows: Iterator[tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class TableByRow:
    """A file of rows, some of which may be none.

    Args:
        names: its columns.
        rows: as those of a `Table`; a row that cannot be read is the error that says why.
    """

    names: list[str]
    rows: Iterator[tuple[int, Mapping[str, Any] | DataError]]

    def strict(self) -> Table:
        """The same, that raises the error at the first row which cannot be read."""
        return Table(self.names, raised(self.rows))


def raised(
    rows: Iterator[tuple[int, Mapping[str, Any] | DataError]],
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows up to the first error, which is raised."""
    for line, row in rows:
        if isinstance(row, DataError):
            raise row
        yield line, row


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source, and the split that its name or folder tells."""

    file: Path
    split: str | None = None


@dataclass(frozen=True, slots=True)
class PartRows:
    """The rows of one part, and the folder that its pictures' names are relative to."""

    root: str
    rows: Iterable[Row]


def find_parts(source: Path, endings: tuple[str, ...]) -> list[Part]:
    """The files of a source: itself, or those of a folder, of its folder `data` or of its folders named as splits.

    A file that the user names directly has no split by its name; files found in a folder have.
    """
    if source.is_file():
        return [Part(source)]
    if not source.is_dir():
        return []
    parts = [Part(file, split_of_file(file.stem)) for file in files_with(source, endings)]
    for folder in folders_in(source):
        split = split_of_folder(folder.name)
        if split or folder.name == "data":
            parts += [Part(file, split or split_of_file(file.stem)) for file in files_with(folder, endings)]
    return parts


def files_with(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Files of a folder that end so, by name; hidden files are left out."""
    return sorted(
        child
        for child in folder.iterdir()
        if child.name.lower().endswith(endings) and not child.name.startswith(".") and child.is_file()
    )


def folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, by name; hidden ones are left out."""
    return sorted(child for child in folder.iterdir() if not child.name.startswith(".") and child.is_dir())


def refuse_unrelated(parts: list[Part], source: str) -> None:
    """Several files are one source only when the name of each one tells its split.

    Raises:
        DataError: a file does not, or there is no file at all.
    """
    if not parts:
        raise DataError(f"{source} holds no file of this format.")
    if len(parts) > 1 and not all(part.split for part in parts):
        names = ", ".join(str(part.file.relative_to(source)) for part in parts[:8])
        raise DataError(f"{source} holds several tables: {names}.", "Give the path of one of them.")


def read_parts(
    parts: list[Part], open_table: Callable[[Path], Table], source: str, options: ReadOptions
) -> Examples:
    """Examples of all parts together."""
    read = [table_rows(open_table(part.file), part, options) for part in parts]
    return Examples(gather(chain.from_iterable(part.rows for part in read)), read[0].root)


def table_rows(
    table: Table,
    part: Part,
    options: ReadOptions,
    *,
    root: str | None = None,
    convention: str | None = None,
) -> PartRows:
    """The rows of one table whose pictures are files.

    Args:
        table: columns and rows.
        part: the file and its split; a `split` column goes before it.
        options: columns and folder that the user names.
        root: the folder of the pictures where the format prescribes it; otherwise it is looked for.
        convention: image column that the format prescribes.
    """
    columns = find_columns(
        table.names,
        str(part.file),
        options.image_column,
        options.caption_column,
        convention=convention,
    )
    first = list(islice(table.rows, NAMES_TRIED))
    if root is None or options.image_root:
        names = [picture_name(row.get(columns.image), Origin(str(part.file), line)) for line, row in first]
        root = picture_root(part.file, names, options.image_root)
    return PartRows(root, _rows(part, root, columns, chain(first, table.rows)))


def _rows(
    part: Part, root: str, columns: Columns, rows: Iterable[tuple[int, Mapping[str, Any]]]
) -> Iterator[Row]:
    file = str(part.file)
    for line, row in rows:
        origin = Origin(file, line)
        name = name_below(root, picture_name(row.get(columns.image), origin))
        split = split_in_cell(row.get(columns.split), origin) if columns.split else None
        path = join(root, name) if name else ""
        yield Row(name, columns.captions_in(row, origin), split or part.split, path, 0, None, file, line)


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
