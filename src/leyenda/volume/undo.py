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
from leyenda.volume.outputs.beside import RECORD_NAME, Place
from leyenda.volume.outputs.file_undo import take_back
from leyenda.volume.outputs.registry import open_place
from leyenda.volume.whole_file import remove_temporary


@dataclass(slots=True)
class Undone:
    """What came of it.

    Args:
        restored: captions that were taken back, now or in an attempt that was stopped.
        refused: files that are left as they are, with the reason.
    """

    restored: int = 0
    refused: list[str] = field(default_factory=list)


def undo(path: str | Path) -> Undone:
    """Take back what the last run wrote that was not taken back yet. May be stopped, and called again.

    Args:
        path: the record of a run that wrote picture by picture, or the folder that it lies in; or a file of captions,
            in which what its last run that replaced texts wrote is taken back, and nothing else.

    Raises:
        LeyendaError: there is nothing to undo.
        DiskError: a file cannot be written.
    """
    path = Path(path).expanduser()
    record = path / RECORD_NAME if path.is_dir() else path
    if not record.is_file():
        raise LeyendaError(f"There is no file {str(record)!r}.", "Name the record of a run.")
    runs = run_logs(record)
    if not runs:
        return _undo_file(record)
    left = [run for run in runs if not run.undone]
    if not left:
        raise LeyendaError(f"Everything in {str(record)!r} is undone already.")
    return _undo_run(record, left[-1])


def _undo_run(record: Path, run: RunLog) -> Undone:
    place = _place(record, run.settings)
    undone = Undone()
    for entry in _backwards(record, run):
        if entry.file is None or entry.kept or entry.error is not None:
            continue
        remove_temporary(Path(entry.file))
        try:
            reason = _take_back(place, entry)
        except ImageError as error:
            reason = str(error)
        if reason:
            undone.refused.append(reason)
        else:
            undone.restored += 1
    if not undone.refused:
        note_undone(record, run)
    return undone


def _place(record: Path, settings: Mapping[str, Any]) -> Place:
    if settings.get("to") not in ("sidecar", "metadata"):
        raise LeyendaError(
            f"{str(record)!r} is the journal of a run that is not finished, and has replaced nothing.",
            "Delete it to begin anew.",
        )
    return open_place(
        settings["to"], settings.get("output"), settings.get("sidecar_name", "stem"), settings["existing"], ""
    )


def _take_back(place: Place, entry: Entry) -> str:
    """Restore one file; the reason where that would lose what somebody wrote since, else nothing."""
    file = entry.file or ""
    if not os.path.lexists(file):
        return "" if entry.made else f"{file!r} has gone."
    now = (place.read(file, None) or "").strip()
    if now == (entry.caption or "").strip():
        place.restore(entry)
        return ""
    if now == (entry.was or "").strip() and not entry.made:
        return ""  # an attempt that was stopped had come as far
    return f"{file!r} was changed since; it is left as it is."


def _backwards(record: Path, run: RunLog) -> Iterator[Entry]:
    """The entries of a run, the last one first, since a file may have been written twice."""
    starts = array("Q", (group.start for group in groups_between(record, run.start, run.end)))
    for start in reversed(starts):
        group = next(groups_between(record, start, run.end))
        yield from reversed(group.entries)


def _undo_file(path: Path) -> Undone:
    restored, refused = take_back(path)
    return Undone(restored=restored, refused=refused)
