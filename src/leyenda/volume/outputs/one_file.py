"""Captions in one file: JSON lines, CSV or Parquet, written whole from the journal when all is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from leyenda.errors import LeyendaError, disk_error
from leyenda.jobs.output_file import check_output_file
from leyenda.volume.engine import LARGEST_GROUP, Outcome
from leyenda.volume.entries_by_name import EntriesByName, Positioned
from leyenda.volume.entry import Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal, run_logs
from leyenda.volume.json_line import json_line, valid_text
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.review import write_review
from leyenda.volume.whole_file import being_written, put_in_place, sync_folder, temporary_of

_UNREADABLE = (ValueError, KeyError, TypeError)
_LOOKED_AT = 100
"""Entries of a file that is there which must be readable before the work begins."""


class OneFile:
    """One file of captions and reasons.

    Args:
        path: the file.
        format_: how it is written.
        overwrite: begin anew, whatever is there.
        review: where captions of too little confidence go; None where all are written.
    """

    keeps_journal = False

    def __init__(
        self, path: Path | str, format_: FileFormat, *, overwrite: bool = False, review: Path | None = None
    ) -> None:
        self.path = Path(path).expanduser()
        self.format = format_
        self.overwrite = overwrite
        self.review = review
        self.journal_path = self.path.with_name(self.path.name + ".partial")
        self._known: EntriesByName | None = None
        self.whole = False

    def settings(self) -> Mapping[str, Any]:
        """The format; where the file lies, the journal beside it says."""
        return {"to": self.format.name}

    def check(self, inputs: Inputs) -> None:
        """See whether it can be written, and read what is there."""
        check_output_file(self.path)
        if self.journal_path.exists():
            self._complete_if_finished()
        if self.path.exists() and not self.overwrite:
            self._open_earlier()

    def _complete_if_finished(self) -> None:
        """A run that was killed in its very last step has written everything but the names."""
        runs = run_logs(self.journal_path)
        if runs and runs[-1].finished is not None:
            self._put_in_place(bool(runs[-1].finished.get("replaced")))
            self.journal_path.unlink()

    def recover(self, journal: Journal) -> None:
        """Nothing is written before the end."""

    def earlier(self, item: Item) -> Entry | None:
        """What the finished file says about an input."""
        return self._known.take(self._name(item.name)) if self._known is not None else None

    def forget_earlier(self, name: str) -> None:
        """Pass over what the finished file says about an input of that name."""
        if self._known is not None:
            self._known.take(self._name(name))

    def place(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Entry], Mapping[str, Any]]:
        """The journal has all that is needed."""
        return entries, {}

    def apply(self, group: Group) -> None:
        """Nothing is written before the end."""

    def leftovers(self) -> Iterator[Sequence[Entry]]:
        """Entries of the finished file whose inputs were not named this time: they stay."""
        rest = self._known.rest() if self._known is not None else iter(())
        while some := list(islice(rest, LARGEST_GROUP)):
            yield some

    def finish(self, journal: Journal) -> None:
        """Write the file under a temporary name, note in the journal that it is whole, and give it its name."""
        with being_written(self.path) as file:
            self.format.write(journal.entries(), file)
        if self.review is not None:
            write_review(self.review, journal.entries())
        replaced = any(entry.was is not None for entry in journal.entries())
        journal.finish({"replaced": replaced})
        self._put_in_place(replaced)
        journal.remove()
        self.whole = True

    def nothing_new(self, journal: Journal) -> None:
        """Leave the finished file as it is."""
        self._earlier_lines().unlink(missing_ok=True)
        journal.forget_run()
        self.whole = True

    def _put_in_place(self, replaced: bool) -> None:
        if replaced and temporary_of(self.path).exists():
            keep_before(self.path)
        put_in_place(self.path)
        if self.review is not None:
            put_in_place(self.review)
        self._earlier_lines().unlink(missing_ok=True)

    def _open_earlier(self) -> None:
        """Make what the finished file says ready to be found by name."""
        try:
            read = self.format.read(self.path)
            first = list(islice(read, _LOOKED_AT))
            lines = self.path
            if not self.format.json_lines:
                lines = self._earlier_lines()
                with open(lines, "wb") as file:
                    for entry in chain(first, read):
                        file.write((json_line(entry.as_json()) + "\n").encode())
        except _UNREADABLE as error:
            raise LeyendaError(
                f"{str(self.path)!r} exists already, and does not hold captions as leyenda writes them.",
                "Choose another name, or replace it with --overwrite.",
            ) from error
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._known = EntriesByName(lambda: _positioned(lines), lambda position: _line_at(lines, position))

    def _earlier_lines(self) -> Path:
        """The finished file as JSON lines, in which any line can be found again; only while a run goes on."""
        return temporary_of(self.path).with_suffix(".earlier")

    def _name(self, name: str) -> str:
        return name if self.format.json_lines else valid_text(name)

    def summary(self) -> str:
        """The file's name."""
        return str(self.path)


def keep_before(path: Path) -> None:
    """Keep a file that is about to be replaced as `NAME.before-1.ENDING`, or the next number that is free."""
    number = 1
    while (before := before_name(path, number)).exists():
        if before.samefile(path):  # a run that was killed had come as far
            return
        number += 1
    try:
        os.link(path, before)
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error, before) from error
    sync_folder(path.parent)


def before_name(path: Path, number: int) -> Path:
    """What a replaced file is called."""
    return path.with_name(f"{path.stem}.before-{number}{path.suffix}")


def _positioned(path: Path) -> Iterator[Positioned]:
    with open(path, "rb") as file:
        position = 0
        for line in file:
            if not line.isspace():
                try:
                    yield position, Entry.from_json(json.loads(line))
                except _UNREADABLE as error:
                    raise LeyendaError(
                        f"{str(path)!r} holds a line that is no caption: {line[:40]!r}.",
                        "Choose another name, or replace it with --overwrite.",
                    ) from error
            position += len(line)


def _line_at(path: Path, position: int) -> Entry:
    with open(path, "rb") as file:
        file.seek(position)
        return Entry.from_json(json.loads(file.readline()))
