"""Undo what a run wrote: what was there before stands in its record."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leyenda.errors import ImageError, LeyendaError
from leyenda.volume.entry import Entry
from leyenda.volume.journal import RunLog, groups_between, note_undone, run_logs
from leyenda.volume.outputs.beside import RECORD_NAME, Place, found_entry, is_written, names_of
from leyenda.volume.outputs.file_undo import take_back
from leyenda.volume.outputs.registry import open_place
from leyenda.volume.whole_file import behind_link, remove_temporary


@dataclass(slots=True)
class Undone:
    """What came of it.

    Args:
        restored: captions that were taken back.
        refused: files that are left as they are, with the reason.
        as_before: files that say what they said before the run: an attempt that was stopped had taken them back.
        absent: files that the run made, and that somebody has taken away since.
        lost: a file that was not found, if none was, nor a picture that it is beside.
    """

    restored: int = 0
    refused: list[str] = field(default_factory=list)
    as_before: int = 0
    absent: int = 0
    lost: str = ""

    def told(self) -> str:
        """One line for people.

        >>> Undone(restored=2, absent=1, refused=["'a.txt' was changed since; it is left as it is."]).told()
        'Taken back: 2 of 3; 1 more was taken away already.'
        """
        back = self.restored + self.as_before
        line = f"Taken back: {back:,} of {back + len(self.refused):,}"
        were = "was" if self.absent == 1 else "were"
        return f"{line}; {self.absent:,} more {were} taken away already." if self.absent else f"{line}."


def undo(path: str | Path) -> Undone:
    """Take back what the last run wrote that was not taken back yet. May be stopped, and called again.

    Runs that wrote nothing are passed over, and so is one of which everything was taken back but what cannot be.

    Args:
        path: the record of a run that wrote picture by picture, or the folder that it lies in; or a file of captions,
            in which what its last run that replaced texts wrote is taken back, and nothing else.

    Raises:
        LeyendaError: there is nothing to undo, the record is damaged, or its files are not where it says.
        DiskError: a file cannot be written.
    """
    path = Path(path).expanduser()
    record = path / RECORD_NAME if path.is_dir() else path
    if not record.is_file():
        raise LeyendaError(f"There is no file {str(record)!r}.", "Name the record of a run.")
    runs = run_logs(record, record=True)
    if not runs:
        return _undo_file(record)
    undone = None
    for run in reversed(runs):
        if run.undone or not any(map(is_written, _backwards(record, run))):
            continue
        undone = _undo_run(record, run)
        if undone.restored or not run.left:
            break
    if undone is None:
        raise LeyendaError(
            f"Everything in {str(record)!r} is undone already, or no run in it wrote anything."
        )
    if undone.lost:
        raise LeyendaError(
            f"None of the captions that {str(record)!r} tells of is where it says: there is no {undone.lost!r}.",
            "If they were moved, move the record with their folder; or type the command where they were written.",
        )
    return undone


def _undo_run(record: Path, run: RunLog) -> Undone:
    place = _place(record, run.settings)
    names = names_of(run, record)
    beside = run.settings.get("output") is None
    undone, found, lost = Undone(), False, ""
    for entry in filter(is_written, _backwards(record, run)):
        entry = found_entry(entry, names)
        if not found:
            found = any(map(os.path.lexists, filter(None, (entry.file, entry.source if beside else None))))
            lost = entry.file or ""
        _take_back(place, entry, undone)
    if not found:
        undone.lost = lost
    if found or run.finished is not None:  # a run that was stopped can be gone on with
        note_undone(record, run, left=len(undone.refused) + (0 if found else undone.absent))
    return undone


def _place(record: Path, settings: Mapping[str, Any]) -> Place:
    if settings.get("to") not in ("sidecar", "metadata"):
        raise LeyendaError(
            f"{str(record)!r} is the journal of a run that is not finished, and has replaced nothing.",
            "Delete it to begin anew.",
        )
    return open_place(settings["to"], None, settings.get("sidecar_name", "stem"), settings["existing"], "")


def _take_back(place: Place, entry: Entry, undone: Undone) -> None:
    """Restore one file, unless that would lose what somebody wrote since."""
    file = entry.file or ""
    remove_temporary(Path(file))
    if not os.path.lexists(file):
        if entry.made and os.path.isdir(os.path.dirname(file) or "."):
            undone.absent += 1
        else:
            undone.refused.append(f"{file!r} is not there.")
        return
    try:
        now = (place.read(file, None) or "").strip()
        if now == (entry.caption or "").strip():
            place.restore(entry)
            undone.restored += 1
        elif now == (entry.was or "").strip() and not entry.made:
            undone.as_before += 1
        else:
            undone.refused.append(f"{file!r} was changed since; it is left as it is.")
    except ImageError as error:
        undone.refused.append(str(error))


def _backwards(record: Path, run: RunLog) -> Iterator[Entry]:
    """The entries of a run, the last one first, since a file may have been written twice."""
    starts = array("Q", (group.start for group in groups_between(record, run.start, run.end)))
    for start in reversed(starts):
        group = next(groups_between(record, start, run.end))
        yield from reversed(group.entries)


def _undo_file(path: Path) -> Undone:
    restored, refused = take_back(behind_link(path))
    return Undone(restored=restored, refused=refused)
