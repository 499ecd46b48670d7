"""Take back what the last run that replaced texts wrote into a file of captions, and nothing that was done since."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from leyenda.errors import DiskError, LeyendaError, disk_error
from leyenda.volume.entries_by_name import EntriesByName
from leyenda.volume.entry import Entry
from leyenda.volume.json_line import valid_text
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.file_history import before_name, changes_name, last_changes, read_changes
from leyenda.volume.outputs.one_file import UNREADABLE, entries_in
from leyenda.volume.outputs.registry import file_format
from leyenda.volume.whole_file import being_written, put_in_place, sync_folder, temporary_of


@dataclass(slots=True)
class _Comparison:
    """A file as it is now beside what it was, and what the run wrote.

    Args:
        restored: entries that are as they were before the run, or go because there were none.
        refused: names of those that somebody changed since.
        others: there is more in the file than the run left, or less.
    """

    restored: int = 0
    refused: list[str] = field(default_factory=list)
    others: bool = False

    def entries(
        self, now: Iterator[Entry], was: EntriesByName, wrote: EntriesByName, *, anew: bool
    ) -> Iterator[Entry]:
        """What the file says when the run is taken back.

        Args:
            now: what it says.
            was: what it said before the run.
            wrote: what the run wrote.
            anew: the run took nothing over: what else the file said before comes back, too.
        """
        for entry in now:
            before, written = was.take(entry.image), wrote.take(entry.image)
            if written is None or (before is not None and _says_the_same(entry, before)):
                self.restored += written is not None
                self.others = self.others or entry != before
                yield entry
            elif _says_the_same(entry, written):
                self.restored += 1
                if before is not None:
                    self.others = self.others or entry.others != written.others
                    yield replace(before, others=entry.others or before.others)
            else:
                self.refused.append(entry.image)
                yield entry
        for before in was.rest():
            if anew:
                yield before
            else:
                self.others = True
        self.others = self.others or any(True for _ in wrote.rest())

    @property
    def whole(self) -> bool:
        """The file is as the run left it, so that all of it can become what it was."""
        return not (self.others or self.refused)


def take_back(path: Path) -> tuple[int, list[str]]:
    """Take back what the last run wrote that replaced texts in a file of captions. May be stopped, and called again.

    Args:
        path: the file.

    Returns:
        How many captions are as they were, and what is left as it is, with the reason.

    Raises:
        LeyendaError: there is nothing to take back.
        DiskError: the file cannot be written.
    """
    number = last_changes(path)
    before = before_name(path, number or 1)
    if not before.is_file():
        raise LeyendaError(
            f"{str(path)!r} is no record, and there is no {before.name} beside it.",
            "Only what --existing overwrite, append or prepend, or --overwrite replaced can be brought back.",
        )
    if number is None:
        raise LeyendaError(
            f"What runs replaced in {str(path)!r} is taken back already.",
            f"What it was before the first of them is in {str(before)!r}.",
        )
    try:
        return _take_back(path, before, number)
    except OSError as error:
        raise disk_error(error, path) from error


def _take_back(path: Path, before: Path, number: int) -> tuple[int, list[str]]:
    changes = read_changes(path, number)
    format_ = file_format(changes.format)
    was = _entries_before(before, format_)
    compared = _Comparison()
    left_as_it_is = f"was changed since; it is left as it is. What it was is in {str(before)!r}."
    try:
        known = was or EntriesByName(lambda: iter(()), _nothing_at)
        for _ in compared.entries(format_.read(path), known, changes.entries, anew=changes.anew):
            pass
    except UNREADABLE:
        return 0, [f"{str(path)!r} {left_as_it_is}"]
    if compared.whole:
        _put_back(path, before)
    elif was is None:
        return 0, [f"{str(path)!r} {left_as_it_is}"]
    else:
        _write_without_changes(path, before, number, format_)
    changes_name(path, number).unlink(missing_ok=True)
    if compared.whole:
        before.unlink()
    sync_folder(path.parent)
    return compared.restored, [f"{name!r} in {str(path)!r} {left_as_it_is}" for name in compared.refused]


def _write_without_changes(path: Path, before: Path, number: int, format_: FileFormat) -> None:
    changes = read_changes(path, number)
    was = entries_in(before, format_)
    entries = _Comparison().entries(format_.read(path), was, changes.entries, anew=changes.anew)
    with being_written(path) as file:
        format_.write(entries, file)
    put_in_place(path)


def _entries_before(before: Path, format_: FileFormat) -> EntriesByName | None:
    """What a file said before; None where it was no file of captions, and was replaced by `--overwrite`."""
    try:
        return entries_in(before, format_)
    except DiskError:
        raise
    except LeyendaError:
        return None


def _nothing_at(position: int) -> Entry:
    raise KeyError(position)


def _says_the_same(one: Entry, other: Entry) -> bool:
    """Whether two entries have the same caption, or the same reason for none."""
    return _said(one) == _said(other)


def _said(entry: Entry) -> str:
    return entry.reason.code if entry.reason is not None else valid_text(entry.caption or "")


def _put_back(path: Path, before: Path) -> None:
    """Give a file the bytes that it had."""
    if before.samefile(path):
        return
    temporary = temporary_of(path)
    temporary.unlink(missing_ok=True)
    os.link(before, temporary)
    put_in_place(path)
