"""JSON lines: `{"image", "caption", "confidence"}` or `{"image", "error"}`, one an input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from leyenda.volume.entry import Entry
from leyenda.volume.json_line import json_line
from leyenda.volume.outputs.file_formats import FileFormat


def _write(entries: Iterator[Entry], file: BinaryIO) -> None:
    for entry in entries:
        file.write((json_line(entry.public()) + "\n").encode())


def _read(path: Path) -> Iterator[Entry]:
    with open(path, "rb") as file:
        for line in file:
            if not line.isspace():
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise TypeError("a line is no object")
                yield Entry.from_public(value)


JSONL = FileFormat("jsonl", (".jsonl", ".ndjson"), _write, _read, json_lines=True)
