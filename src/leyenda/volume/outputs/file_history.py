"""What a file of captions was before a run replaced texts in it, and what that run wrote: all that undoing it needs.

`captions.before-1.jsonl` is the file as it was, and `captions.before-1.jsonl.written` lists what the run wrote. The
list goes when the run is taken back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from leyenda.errors import LeyendaError, disk_error
from leyenda.volume.entries_by_name import EntriesByName, entries_of_lines
from leyenda.volume.entry import Entry
from leyenda.volume.json_line import json_line, valid_text
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.whole_file import being_written, sync_folder, temporary_of

_CHANGES = ".written"


@dataclass(frozen=True, slots=True)
class Changes:
    """What one run wrote into a file.

    Args:
        format: of the file, by name.
        anew: the run took nothing over from the file that was there.
        entries: what it wrote.
    """

    format: str
    anew: bool
    entries: EntriesByName


def write_changes(path: Path, format_: FileFormat, entries: Iterable[Entry], *, anew: bool) -> None:
    """Write, under a temporary name, what a run is about to write into a file; `keep_before` does the rest.

    Raises:
        DiskError: it cannot be written.
    """
    with being_written(_changes_without_number(path)) as file:
        head: dict[str, object] = {"format": format_.name, "anew": anew}
        file.write((json_line(head) + "\n").encode())
        for entry in entries:
            if entry.kept or (entry.error is not None and entry.reason is None):
                continue
            line = entry.public()
            if not format_.json_lines:
                line["image"] = valid_text(entry.image)
            file.write((json_line(line) + "\n").encode())


def read_changes(path: Path, number: int) -> Changes:
    """What a run wrote.

    Raises:
        LeyendaError: the list was changed.
        OSError: it cannot be read.
    """
    name = changes_name(path, number)
    file = open(name, "rb")  # noqa: SIM115 - stays open for the entries
    try:
        head = json.loads(file.readline())
        lines = entries_of_lines(file, lambda line: Entry.from_public(json.loads(line)), start=file.tell())
        return Changes(head["format"], head["anew"], lines)
    except (ValueError, KeyError, TypeError) as error:
        raise LeyendaError(f"{str(name)!r} is not as leyenda wrote it.") from error


def last_changes(path: Path) -> int | None:
    """The number of the last run that replaced texts in a file and is not taken back; None where there is none."""
    start, end = f"{path.stem}.before-", f"{path.suffix}{_CHANGES}"
    names = (name for name in os.listdir(path.parent) if name.startswith(start) and name.endswith(end))
    numbers = [name[len(start) : -len(end)] for name in names]
    return max((int(number) for number in numbers if number.isdecimal()), default=None)


def keep_before(path: Path) -> None:
    """Keep a file that is about to be replaced as `NAME.before-1.ENDING`, or the next number that is free."""
    number = 1
    while (before := before_name(path, number)).exists():
        if before.samefile(path):  # a run that was killed had come as far
            break
        number += 1
    try:
        if not before.exists():
            os.link(path, before)
        if temporary_of(_changes_without_number(path)).exists():
            os.replace(temporary_of(_changes_without_number(path)), changes_name(path, number))
    except FileNotFoundError:  # there was no file
        temporary_of(_changes_without_number(path)).unlink(missing_ok=True)
        return
    except OSError as error:
        raise disk_error(error, before) from error
    sync_folder(path.parent)


def before_name(path: Path, number: int) -> Path:
    """What a replaced file is called."""
    return path.with_name(f"{path.stem}.before-{number}{path.suffix}")


def changes_name(path: Path, number: int) -> Path:
    """What the list of what a run wrote is called."""
    before = before_name(path, number)
    return before.with_name(f"{before.name}{_CHANGES}")


def _changes_without_number(path: Path) -> Path:
    return path.with_name(f"{path.name}{_CHANGES}")
