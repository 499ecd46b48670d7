"""CSV and TSV: a header, then a row for each caption or each picture."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from leyenda.data.columns import captions_in_cell
from leyenda.data.examples import Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.tables import Table, TableByRow, find_parts, read_parts, refuse_unrelated
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.text_lines import odd_byte, open_text
from leyenda.errors import DataError
from leyenda.records import Origin

DELIMITERS = (",", ";", "\t", "|")


def open_delimited(path: Path) -> Table:
    """Open a CSV or TSV file; its delimiter is that of `DELIMITERS` which the header has most of.

    Raises:
        DataError: the file is empty, not UTF-8, or a row is malformed (with its line).
    """
    return open_delimited_by_row(path).strict()


def open_delimited_by_row(path: Path) -> TableByRow:
    """Open a CSV or TSV file, of which rows that are malformed or not UTF-8 cost themselves.

    Raises:
        DataError: the file is empty, or its header is malformed or not UTF-8.
    """
    rows = _rows(path)
    line, header = next(rows, (1, None))
    if header is None:
        raise DataError(f"{path} is empty.", "Its first line must name the columns, such as image,caption.")
    if isinstance(header, DataError):
        raise header
    names = [name.strip() for name in header]
    repeated = next((name for name in names if name and names.count(name) > 1), None)
    if repeated:
        raise DataError(f"{path}:{line}: two columns have the name {repeated!r}.", "Rename one of them.")
    return TableByRow(names, _by_name(path, names, rows))


def delimiter_of(header: str) -> str:
    """The delimiter of a header line."""
    outside_quotes = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside_quotes.count)


class _Lines:
    """The lines of a file, with those of the row in hand: after an error, those behind the first are read again.

    Args:
        lines: of the file.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.first = 1
        """Number of the row's first line."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        return line

    def next_row(self) -> None:
        """The row is done with."""
        self.first += len(self.row)
        self.row = []

    def only_first(self) -> None:
        """The row was none; it must not take others with it."""
        self._again.extendleft(reversed(self.row[1:]))
        self.row = self.row[:1]


def _rows(path: Path) -> Iterator[tuple[int, list[str] | DataError]]:
    """Cells of each row that is not blank, with the line on which the row begins; or why it is none."""
    with open_text(path, errors="surrogateescape") as file:
        head = file.readline()
        delimiter = "\t" if path.suffix.lower() == ".tsv" else delimiter_of(head)
        lines = _Lines(chain([head] if head else [], file))
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                lines.only_first()
                yield lines.first, DataError(f"{path}:{lines.first}: {_explained(error)}")
            else:
                if cells is None:
                    return
                if cells:
                    yield lines.first, _odd_line(path, lines) or cells
            lines.next_row()


def _odd_line(path: Path, lines: _Lines) -> DataError | None:
    found = (odd_byte(path, number, line) for number, line in enumerate(lines.row, lines.first))
    return next(filter(None, found), None)


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return (
            'a quote (") that opens in this row is never closed, or a value is longer than '
            f'{csv.field_size_limit():,} characters. Write a quote inside a value twice ("").'
        )
    if "unexpected end" in text:
        return 'a quote (") that opens in this row is never closed. Write a quote inside a value twice ("").'
    if "expected after" in text:
        return 'text follows a closing quote ("). Write a quote inside a quoted value twice ("").'
    return f"the row cannot be read: {text}."


def _by_name(
    path: Path, names: list[str], rows: Iterator[tuple[int, list[str] | DataError]]
) -> Iterator[tuple[int, Mapping[str, Any] | DataError]]:
    width = len(names)
    for line, cells in rows:
        if isinstance(cells, DataError):
            yield line, cells
        elif len(cells) != width:
            yield (
                line,
                DataError(
                    f"{path}:{line}: the row has {len(cells)} values and the header {width}.",
                    'Put quotes (") round a value that holds the delimiter.',
                ),
            )
        else:
            yield line, dict(zip(names, cells, strict=True))


def _detector(ending: str) -> Callable[[Path], bool]:
    def detect(source: Path) -> bool:
        if source.is_file():
            return source.name.lower().endswith(ending)
        return bool(find_parts(source, (ending,)))

    return detect


def _reader(ending: str) -> Callable[[str, ReadOptions], Examples]:
    def read(source: str, options: ReadOptions) -> Examples:
        parts = find_parts(Path(source), (ending,))
        refuse_unrelated(parts, source)
        return read_parts(parts, open_delimited, source, options)

    return read


def _writer(ending: str, delimiter: str) -> Callable[[Examples, Path, PictureCopier], None]:
    def write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
        write_new(folder / f"captions{ending}", _text(examples, delimiter))
        for example in examples:
            pictures.put(example, below="images")

    return write


def _text(examples: Examples, delimiter: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    with_split = bool(examples.splits())
    writer.writerow(["image", "caption"] + ["split"] * with_split)
    for example in examples:
        for cell in _cells(example.captions):
            writer.writerow([example.id, cell] + [example.split or ""] * with_split)
    return text.getvalue()


def _cells(captions: tuple[str, ...]) -> list[str]:
    """A cell for each caption; one JSON list where a caption alone would be read as a list, or there is none."""
    if captions and all(_reads_as_itself(caption) for caption in captions):
        return list(captions)
    return [json.dumps(list(captions), ensure_ascii=False)]


def _reads_as_itself(caption: str) -> bool:
    if caption.startswith("['"):
        return False
    return captions_in_cell(caption, Origin()) == [caption]


CSV = Format(
    "csv",
    "a .csv file with a header, or a folder with captions.csv or train.csv, test.csv",
    _detector(".csv"),
    _reader(".csv"),
    _writer(".csv", ","),
)
TSV = Format(
    "tsv",
    "a .tsv file with a header, or a folder with one",
    _detector(".tsv"),
    _reader(".tsv"),
    _writer(".tsv", "\t"),
)
