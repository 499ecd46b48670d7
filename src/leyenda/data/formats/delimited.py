"""CSV and TSV: a header, then a row for each caption or each picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leyenda.data.columns import captions_in_cell
from leyenda.data.formats.format import Format, Reading, ReadOptions
from leyenda.data.formats.tables import Table, find_parts, refuse_unrelated, table_rows
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.text_lines import open_text
from leyenda.errors import DataError
from leyenda.records import Origin

if TYPE_CHECKING:
    from leyenda.data.examples import Examples

DELIMITERS = (",", ";", "\t")


def open_delimited(path: Path) -> Table:
    """Open a CSV or TSV file; the delimiter is the one of comma, semicolon and tab that the header has most of.

    Raises:
        DataError: the file is empty, not UTF-8, or a row is malformed (with its line).
    """
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{path} is empty.", "Its first line must name the columns, such as image,caption.")
    names = [name.strip() for name in header[1]]
    repeated = next((name for name in names if name and names.count(name) > 1), None)
    if repeated:
        raise DataError(f"{path}:{header[0]}: two columns have the name {repeated!r}.", "Rename one of them.")
    return Table(path, names, _by_name(path, names, rows))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Cells of each row that is not blank, with the line on which the row begins."""
    with open_text(path) as file:
        head = file.readline()
        delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(head)
        reader = csv.reader(chain([head], file), delimiter=delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}:{line}: {_explained(error, delimiter)}") from error


def _delimiter(header: str) -> str:
    outside_quotes = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside_quotes.count)


def _explained(error: csv.Error, delimiter: str) -> str:
    text = str(error)
    if "unexpected end" in text or "field limit" in text:
        return 'a quote (") that opens in this row is never closed. Close it, or double it ("") inside a quoted value.'
    if "expected after" in text:
        return f'text follows a closing quote (") where {delimiter!r} must. Double the quotes inside a quoted value ("").'
    return f"the row cannot be read: {text}."


def _by_name(
    path: Path, names: list[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    width = len(names)
    for line, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{path}:{line}: the row has {len(cells)} values and the header {width}.",
                'Put quotes (") round a value that holds the delimiter.',
            )
        yield line, dict(zip(names, cells, strict=True))


def _reader(ending: str) -> Any:
    def read(source: str, options: ReadOptions) -> Reading:
        parts = find_parts(Path(source), (ending,))
        refuse_unrelated(parts, Path(source))
        read_parts = [table_rows(open_delimited, part, options) for part in parts]
        return Reading(chain.from_iterable(rows for _, rows in read_parts), read_parts[0][0])

    return read


def _detector(ending: str) -> Any:
    def detect(source: Path) -> bool:
        if source.is_file():
            return source.name.lower().endswith(ending)
        return bool(find_parts(source, (ending,)))

    return detect


def _writer(ending: str, delimiter: str) -> Any:
    def write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
        write_table(
            examples, folder / f"captions{ending}", "image", delimiter, with_split=bool(examples.splits())
        )
        for example in examples:
            pictures.put(example, below="images")

    return write


def write_table(
    examples: Examples, path: Path, image_column: str, delimiter: str = ",", *, with_split: bool = False
) -> None:
    """Write a header and one row for each caption."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow([image_column, "caption"] + ["split"] * with_split)
    for example in examples:
        for cell in _cells(example.captions):
            writer.writerow([example.id, cell] + [example.split or ""] * with_split)
    write_new(path, text.getvalue())


def _cells(captions: tuple[str, ...]) -> list[str]:
    """A cell for each caption; a JSON list where a cell alone would be read as something else."""
    plain = all(
        captions_in_cell(caption, Origin()) == [caption] for caption in captions if caption[:2] != "['"
    )
    python_like = any(caption[:2] == "['" for caption in captions)
    if captions and plain and not python_like:
        return list(captions)
    return [json.dumps(list(captions), ensure_ascii=False)]


CSV = Format(
    "csv",
    "a .csv file with a header, or a folder of them (captions.csv; train.csv, test.csv)",
    _detector(".csv"),
    _reader(".csv"),
    _writer(".csv", ","),
)
TSV = Format(
    "tsv",
    "a .tsv file with a header, or a folder of them",
    _detector(".tsv"),
    _reader(".tsv"),
    _writer(".tsv", "\t"),
)
