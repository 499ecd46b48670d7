"""The journal of a run: what became of each input, in order, on the disk before anything else says so.

A journal is a file of JSON lines. A line with `leyenda` begins a run and holds its settings. The lines after it are
entries (`leyenda.volume.entry`), in groups: a group is what the model captioned together, and ends with a line that
holds the number of its entries and their checksum. A group whose end is not there, or does not fit, never happened.
A line with `retry` says that the reasons before it do not count, since those inputs are tried again. A line with
`finished` ends a run, and one with `undone` says that what a run wrote was taken back.

What another process or a power cut left unfinished is the end of the file, and is cut off. In a record, which cannot be
made again, damage anywhere else is an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from leyenda.errors import LeyendaError, disk_error
from leyenda.volume.entries_by_name import EntriesByName, Positioned
from leyenda.volume.entry import LOW_CONFIDENCE, Entry
from leyenda.volume.json_line import json_line
from leyenda.volume.named_inputs import MAY_CHANGE, forgotten_inputs, names_differ
from leyenda.volume.record_names import RecordNames
from leyenda.volume.whole_file import sync_folder

VERSION = 2
"""Of a run in a journal. In 1, the names of files were relative to the working folder of the command."""

_BEGINNINGS = (b'{"leyenda"', b'{"group"', b'{"retry"', b'{"finished"', b'{"undone"')
"""Of the lines that are no entries."""

_SYNC_EVERY_S = 1.0
"""Seconds of work that a power cut may cost at most; a killed process loses nothing of what was written."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that were written together.

    Args:
        entries: in the order of the inputs.
        state: what the output noted with them.
        start: the journal's byte at which their lines begin.
        lines: the byte at which each entry's line begins.
    """

    entries: tuple[Entry, ...]
    state: Mapping[str, Any]
    start: int
    lines: tuple[int, ...]


@dataclass(slots=True)
class RunLog:
    """One run in a journal.

    Args:
        settings: of its command.
        begin: the byte at which its first line begins.
        start: the byte after its first line.
        groups: how many.
        end: the byte after its last whole group, or after its last line.
        finished: what its last line holds; None where the run was stopped.
        last: the last group.
        undone: what it wrote was taken back.
        left: files of it that could not be taken back, if that was tried.
        version: `VERSION` of the leyenda that began it.
        retries: the bytes up to which reasons for no caption do not count.
    """

    settings: Mapping[str, Any]
    begin: int
    start: int
    groups: int = 0
    end: int = 0
    finished: Mapping[str, Any] | None = None
    last: Group | None = field(default=None, repr=False)
    undone: bool = False
    left: int = 0
    version: int = VERSION
    retries: list[int] = field(default_factory=list)

    @property
    def names_folder(self) -> Path | None:
        """The folder that the names of files in it are relative to, if it is not the journal's."""
        return Path() if self.version == 1 else None


class Journal:
    """A journal that is being written: at most one process has it open.

    Args:
        path: the file.
        settings: of the command. A stopped run with other settings is not gone on with.
        overwrite: forget what is there, unless it is a stopped run that was begun in this way, too.
        record: what is there is the record of what was replaced, and stays: `overwrite` only ends a stopped run.

    Raises:
        LeyendaError: the file is no journal, or that of a stopped run of another command, or in use, or a record that
            is damaged.
        DiskError: it cannot be written.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], *, overwrite: bool = False, record: bool = False
    ) -> None:
        self.path = path
        self._record = record
        self._end = 0
        self._synced = time.monotonic()
        created = not path.exists()
        try:
            self._file: BinaryIO = open(path, "a+b", buffering=0)  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise disk_error(error, path) from error
        try:
            lock(self._file, path)
            settings = json.loads(json.dumps({**settings, "overwrite": overwrite}))
            if overwrite and not self._holds(settings):
                self._begin_anew()
            self._go_on_or_begin(settings)
        except BaseException:
            self.close()
            if created:
                path.unlink(missing_ok=True)
            raise

    def _holds(self, settings: Mapping[str, Any]) -> bool:
        """Whether the last run in the file was stopped, had these settings, and can be gone on with from here."""
        runs = self._runs()
        if not runs or runs[-1].finished is not None or _other_settings(runs[-1].settings, settings):
            return False
        images = [entry.image for entry in runs[-1].last.entries] if runs[-1].last else []
        before = runs[-1].settings
        return not names_differ(before, settings, images) and not forgotten_inputs(before, settings)

    def _runs(self) -> list[RunLog]:
        return run_logs(self.path, record=self._record)

    def _begin_anew(self) -> None:
        """Forget what is there, or, in a record, end the run that was stopped."""
        if not self._record:
            self._file.truncate(0)
            return
        runs = self._runs()
        if runs and runs[-1].finished is None:
            self._end = runs[-1].end
            self._file.truncate(self._end)
            self._append(json_line({"finished": {"given_up": True}}) + "\n", sync=True)

    def _go_on_or_begin(self, settings: Mapping[str, Any]) -> None:
        runs = self._runs()
        last = runs[-1] if runs else None
        if last is None and not _is_torn_beginning(self.path):
            fix = "Name another file with --record." if self._record else "Or replace it with --overwrite."
            raise LeyendaError(
                f"{str(self.path)!r} exists and is not the journal of a run.", f"Rename it to keep it. {fix}"
            )
        self.resumed = last is not None and last.finished is None
        if last is not None and last.finished is None:
            refuse_other_settings(self.path, last.settings, settings)
        self._end = last.end if last else 0
        self._file.truncate(self._end)
        if last is None or last.finished is not None:
            begin = self._end
            self._append(json_line({"leyenda": VERSION, "settings": settings}) + "\n", sync=True)
            sync_folder(self.path.parent)
            last = RunLog(settings, begin, self._end, end=self._end)
        self.run = last
        self._before = last.end
        self.earlier = runs[:-1] if self.resumed else runs

    @property
    def size(self) -> int:
        """Bytes of the journal, all of them whole groups."""
        return self._end

    def commit(
        self, entries: Sequence[Entry], state: Mapping[str, Any] | None = None, *, sync: bool
    ) -> Group:
        """Write a group; it has happened when this returns.

        Args:
            entries: in the order of the inputs.
            state: what the output notes with them.
            sync: have it on the disk before going on. Otherwise a power cut may cost the last second's groups.

        Raises:
            DiskError: the disk is full; the groups before are kept.
        """
        lines = [(json_line(entry.as_json()) + "\n").encode() for entry in entries]
        starts, position = [], self._end
        for line in lines:
            starts.append(position)
            position += len(line)
        text = b"".join(lines)
        end: dict[str, object] = {"group": len(entries), "crc": zlib.crc32(text)}
        if state:
            end["state"] = dict(state)
        start = self._end
        self._append(text.decode() + json_line(end) + "\n", sync=sync)
        self.run.groups += 1
        self.run.end = self._end
        self.run.last = Group(tuple(entries), dict(state or {}), start, tuple(starts))
        return self.run.last

    def finish(self, counts: Mapping[str, Any]) -> None:
        """Note that the run has done everything, on the disk."""
        self._append(json_line({"finished": dict(counts)}) + "\n", sync=True)
        self.run.finished = dict(counts)

    def forget_run(self) -> None:
        """Take this run's lines away again, because it changed nothing; those of earlier runs stay."""
        self._file.truncate(self.run.begin)
        self._end = self.run.begin
        os.fsync(self._file.fileno())
        if not self._end:
            self.remove()

    def try_failed_again(self) -> None:
        """Note, in a run that is gone on with, that inputs without a caption are tried again."""
        if any(_is_failed(entry) for _, entry in self.done_before()):
            self._append(json_line({"retry": True}) + "\n", sync=True)
            self.run.end = self._before = self._end
            self.run.retries.append(self._end)

    def groups_before(self) -> Iterator[Group]:
        """The groups of this run that were there when the journal was opened."""
        return groups_between(self.path, self.run.start, self._before)

    def done_before(self) -> Iterator[Positioned]:
        """What of this run was done when the journal was opened: each entry with the byte where its line begins."""
        counts_from = max(self.run.retries, default=0)
        for position, entry in _positioned(self.groups_before()):
            if position >= counts_from or not _is_failed(entry):
                yield position, entry

    def entries(self) -> Iterator[Entry]:
        """The entries of this run, from the file; what came of another attempt stands in the place of the first."""
        bounds = (self.run.start, *self.run.retries, self.run.end)
        attempts = [self._attempt(start, end) for start, end in pairwise(bounds)]
        for number, attempt in enumerate(attempts):
            for entry in attempt.rest():
                last = _last_of(entry, attempts[number + 1 :])
                if last is not None:
                    yield last

    def _attempt(self, start: int, end: int) -> EntriesByName:
        return EntriesByName(lambda: _positioned(groups_between(self.path, start, end)), self.entry_at)

    def entry_at(self, position: int) -> Entry:
        """The entry whose line begins at that byte."""
        with open(self.path, "rb") as file:
            file.seek(position)
            return Entry.from_json(json.loads(file.readline()))

    def close(self) -> None:
        """Let other processes write."""
        self._file.close()

    def remove(self) -> None:
        """Take the file away, when what it holds stands in the finished output."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self.close()

    def _append(self, text: str, *, sync: bool) -> None:
        data = text.encode()
        try:
            while data:
                data = data[self._file.write(data) :]
            if sync or time.monotonic() - self._synced > _SYNC_EVERY_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                self._file.truncate(self._end)
            raise disk_error(error, self.path) from error
        self._end += len(text.encode())


def _is_failed(entry: Entry) -> bool:
    """Whether an input has a reason for no caption that may be another one the next time."""
    return entry.error is not None and entry.error.code != LOW_CONFIDENCE


def _positioned(groups: Iterator[Group]) -> Iterator[Positioned]:
    for group in groups:
        yield from zip(group.lines, group.entries, strict=True)


def _last_of(entry: Entry, later: Sequence[EntriesByName]) -> Entry | None:
    """What came of an input in the last attempt; None where it was not tried again, since it is no input any more."""
    while later and _is_failed(entry):
        found = (attempt.take(entry.image) for attempt in later)
        number, next_ = next(((at, one) for at, one in enumerate(found) if one is not None), (0, None))
        if next_ is None:
            return None
        entry, later = next_, later[number + 1 :]
    return entry


def lock(file: BinaryIO, path: Path) -> None:
    """Keep other processes from writing a journal, until the file is closed.

    Raises:
        LeyendaError: another one writes it now.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LeyendaError(
            f"{str(path)!r} is being written by another leyenda.", "Wait for it, or stop it."
        ) from None
    except (OSError, ImportError):  # a network disk or a system without such locks
        return


def refuse_other_settings(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Stop where a journal is that of another command.

    Raises:
        LeyendaError: it is, with the first settings that differ.
    """
    different = _other_settings(before, now)
    if not different:
        return
    told = "; ".join(
        f"{name} was {json_line({'': before.get(name)})[5:-1]} and is now {json_line({'': now.get(name)})[5:-1]}"
        for name in different[:3]
    )
    raise LeyendaError(
        f"{str(path)!r} holds what another command had done: {told}.",
        "Type that command again to go on with it, or begin anew with --overwrite.",
    )


def _other_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The settings that differ; there may be more inputs now, and the folder may have been moved."""
    names = [name for name in {**before, **now} if name not in MAY_CHANGE]
    return [name for name in names if before.get(name) != now.get(name)]


def run_logs(path: Path, *, record: bool = False) -> list[RunLog]:
    """The runs in a journal, up to the first line that never happened.

    Args:
        path: the file.
        record: it is a record. What stands behind that line in it did happen, and must not be lost.

    Raises:
        LeyendaError: it is a record, and damaged before its end.

    >>> run_logs(Path("/dev/null"))
    []
    """
    runs: dict[int, RunLog] = {}
    run: RunLog | None = None
    position = 0
    for line, after in _parts(path, 0, None):
        begin, position = position, after
        if isinstance(line, Group):
            if run is None or run.finished is not None:
                position = begin
                break
            run.groups, run.last, run.end = run.groups + 1, line, position
        elif "leyenda" in line:
            run = runs[begin] = RunLog(
                _settings(line, path), begin, position, end=position, version=line["leyenda"]
            )
        elif "retry" in line and run is not None:
            run.retries.append(position)
            run.end = position
        elif "finished" in line and run is not None:
            run.finished, run.end = line["finished"], position
        elif line.get("undone") in runs and run is not None:
            undone = runs[line["undone"]]
            undone.left = line.get("left", 0)
            undone.undone = not undone.left
            run.finished, run.end = run.finished or {}, position
        else:
            position = begin
            break
    if record:
        _refuse_damage(path, position)
    return list(runs.values())


def _settings(line: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The settings in the first line of a run, with the names of folders as they are noted now."""
    settings: Mapping[str, Any] = line.get("settings", {})
    if line["leyenda"] == 1 and settings.get("output") is not None:
        return {**settings, "output": RecordNames(path.parent).noted(settings["output"])}
    return settings


def note_undone(path: Path, run: RunLog, *, left: int = 0) -> None:
    """Write into a record that what a run wrote was taken back.

    Args:
        path: the record.
        run: one of those in it.
        left: files that could not be taken back.

    Raises:
        LeyendaError: another process writes it, or it is damaged.
        DiskError: it cannot be written.
    """
    try:
        with open(path, "r+b") as file:
            lock(file, path)
            file.seek(max(each.end for each in run_logs(path, record=True)))
            file.truncate()
            noted = {"undone": run.begin, "left": left} if left else {"undone": run.begin}
            file.write((json_line(noted) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise disk_error(error, path) from error


def _is_torn_beginning(path: Path) -> bool:
    """Whether a file that holds no run is empty, or what is left of a journal's very first line."""
    with open(path, "rb") as file:
        head = file.read(1 << 16).rstrip(b"\0")
    beginning = _BEGINNINGS[0]
    return b"\n" not in head and (head.startswith(beginning) or beginning.startswith(head))


def _refuse_damage(path: Path, start: int) -> None:
    """See that what does not fit in a record is its torn end, which nothing follows.

    A group is on the disk before the next line is written. So at most the last group can be torn: lines are missing or
    unreadable in it. What can be read, and yet is not what was written, somebody has changed.

    Args:
        path: the record.
        start: the byte at which the first line or group begins that does not fit.

    Raises:
        LeyendaError: it is something else.
    """
    with open(path, "rb") as file:
        number = 1 + sum(block.count(b"\n") for block in _blocks(file, start))
        lines, unreadable, torn_end = 0, 0, False
        for line in file:
            if torn_end:  # something was written behind it
                break
            if not line.endswith(b"\n"):
                return
            if line.startswith(_BEGINNINGS):
                size = (_readable(line) or {}).get("group")
                if not isinstance(size, int) or size < lines or not unreadable:
                    break
                torn_end = True
            elif _readable(line) is None:
                unreadable = unreadable or number + lines
            lines += 1
        else:
            return
    where = f"line {unreadable}" if unreadable else f"line {number}"
    if not unreadable and lines:
        where = f"one of the lines {number} to {number + lines}"
    raise LeyendaError(
        f"{str(path)!r} is damaged: {where} is not what leyenda wrote.",
        "Nothing was changed. Mend it, or bring the file back from a copy; moving it away begins a new one.",
    )


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next so many bytes of a file, some at a time."""
    while size and (block := file.read(min(size, 1 << 20))):
        size -= len(block)
        yield block


def _readable(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def groups_between(path: Path, start: int, end: int) -> Iterator[Group]:
    """The groups whose lines lie between two bytes of a journal."""
    return (part for part, _ in _parts(path, start, end) if isinstance(part, Group))


def _parts(path: Path, start: int, end: int | None) -> Iterator[tuple[Group | dict[str, Any], int]]:
    """Groups and the lines between them, each with the byte after it, as long as all is as it was written."""
    with open(path, "rb") as file:
        file.seek(start)
        position = group_start = start
        lines: list[bytes] = []
        starts: list[int] = []
        for line in file:
            if not line.endswith(b"\n") or (end is not None and position >= end):
                return
            starts.append(position)
            position += len(line)
            value = _readable(line)
            if value is None:
                return
            if "image" in value:
                lines.append(line)
                continue
            if "group" in value:
                if value["group"] != len(lines) or value.get("crc") != zlib.crc32(b"".join(lines)):
                    return
                entries = tuple(Entry.from_json(json.loads(each)) for each in lines)
                yield Group(entries, value.get("state", {}), group_start, tuple(starts[:-1])), position
            elif lines:
                return
            else:
                yield value, position
            lines, starts, group_start = [], [], position
