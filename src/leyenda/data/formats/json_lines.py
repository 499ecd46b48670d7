"""JSONL: a JSON object for each caption or each picture, one a line; also a JSON file that is a list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from leyenda.data.examples import Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.tables import (
    Table,
    TableByRow,
    find_parts,
    raised,
    read_parts,
    refuse_unrelated,
)
from leyenda.data.pictures import NAMES_TRIED, PictureCopier, write_new
from leyenda.data.text_lines import head_of, odd_byte, open_text, read_text
from leyenda.errors import DataError

ENDINGS = (".jsonl", ".ndjson", ".json")


def open_json_lines(path: Path) -> Table:
    """Open a JSONL file, or a JSON file that is a list of objects; columns are the names in the first rows.

    Raises:
        DataError: the file is empty or not UTF-8, or a line is not a JSON object (with its line).
    """
    table = open_json_lines_by_row(path)
    first = list(islice(raised(table.rows), NAMES_TRIED))
    return Table(table.names, chain(first, raised(table.rows)))


def open_json_lines_by_row(path: Path) -> TableByRow:
    """Open such a file, of which lines that are not UTF-8 or no objects cost themselves.

    Raises:
        DataError: the file is empty, or none of its first lines is an object.
    """
    rows = _listed_objects(path) if path.suffix.lower() == ".json" else _objects(path)
    first = list(islice(rows, NAMES_TRIED))
    objects = [row for _, row in first if not isinstance(row, DataError)]
    if not first:
        raise DataError(f"{path} is empty.", 'Each line must be like {"image": "a.jpg", "caption": "..."}.')
    if not objects:
        next(raised(iter(first)))
    names = list(dict.fromkeys(name for row in objects for name in row))
    return TableByRow(names, chain(first, rows))


def parse_json(path: Path) -> Any:
    """The value of a whole JSON file.

    Raises:
        DataError: it is not UTF-8 or not JSON (with the line).
    """
    return json_value(read_text(path), str(path))


def json_value(text: str, where: str, line: int | None = None) -> Any:
    """The value that a text of JSON stands for.

    Args:
        text: all of it.
        where: the file that it is from, for messages.
        line: the line of that file on which the text stands; None when the text is the whole file.

    Raises:
        DataError: it is not JSON (with the line).
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{where}:{line or error.lineno}: not JSON: {error.msg} (column {error.colno})."
        ) from error
    except RecursionError as error:
        place = where if line is None else f"{where}:{line}"
        raise DataError(f"{place}: lists are nested too deeply to be read.") from error


def _objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | DataError]]:
    with open_text(path, errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.isspace():
                yield number, odd_byte(path, number, line) or _object_in(line, path, number)


def _object_in(line: str, path: Path, number: int) -> Mapping[str, Any] | DataError:
    try:
        return _object(json_value(line, str(path), number), path, number)
    except DataError as error:
        return error


def _listed_objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | DataError]]:
    rows = parse_json(path)
    if not isinstance(rows, list):
        raise DataError(f"{path} is not a list of objects.", "Name its format with --format.")
    for number, value in enumerate(rows, 1):
        try:
            yield number, _object(value, path, number)
        except DataError as error:
            yield number, error


def _object(value: Any, path: Path, number: int) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(
            f"{path}:{number}: not a JSON object but {json.dumps(value)[:40]}.",
            'Write {"image": "a.jpg", "caption": "..."}.',
        )
    return value


def _detect(source: Path) -> bool:
    if source.is_file():
        name = source.name.lower()
        return name.endswith(ENDINGS[:2]) or (name.endswith(".json") and head_of(source).lstrip()[:1] == "[")
    return bool(find_parts(source, ENDINGS[:2])) or any(map(_detect, _json_lists(source)))


def _json_lists(source: Path) -> list[Path]:
    return [part.file for part in find_parts(source, (".json",))]


def _read(source: str, options: ReadOptions) -> Examples:
    path = Path(source)
    parts = find_parts(path, ENDINGS[:2])
    if path.is_dir() and not parts:
        parts = [part for part in find_parts(path, (".json",)) if _detect(part.file)]
    refuse_unrelated(parts, source)
    return read_parts(parts, open_json_lines, source, options)


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    write_new(folder / "captions.jsonl", json_lines(examples, "image", with_split=bool(examples.splits())))
    for example in examples:
        pictures.put(example, below="images")


def json_lines(examples: Examples, image_column: str, *, with_split: bool) -> str:
    """One line an example: `image_column`, `captions` and, where asked for, `split`."""
    lines = []
    for example in examples:
        row: dict[str, object] = {image_column: example.id, "captions": list(example.captions)}
        if with_split:
            row["split"] = example.split
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


JSON_LINES = Format(
    "jsonl",
    "a .jsonl file, or a .json file that is a list of objects, or a folder with one",
    _detect,
    _read,
    _write,
)
