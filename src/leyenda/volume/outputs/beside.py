"""Captions picture by picture: in a text file beside each, or inside it. The journal stays, as their history.

What was there before stands in the journal, on the disk, before a file is touched; then the file is written whole.
A run that is stopped between the two does the last group's files again when it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from leyenda.errors import ImageError, LeyendaError
from leyenda.images.opening import DEFAULT_MAX_PIXELS
from leyenda.jobs.output_file import check_output_file
from leyenda.records import PictureBytes, Skipped
from leyenda.volume.engine import Outcome
from leyenda.volume.entry import Entry
from leyenda.volume.existing import SKIP
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item, PictureSource, safe_relative
from leyenda.volume.journal import Group, Journal, RunLog, groups_between
from leyenda.volume.outputs.collisions import refuse_collisions
from leyenda.volume.outputs.written_for import WrittenFor
from leyenda.volume.reading import read_item
from leyenda.volume.record_names import RecordNames
from leyenda.volume.review import write_review
from leyenda.volume.whole_file import make_folder, put_in_place, remove_temporary

RECORD_NAME = "leyenda-captions.jsonl"

_LONGEST_NAME = 255
"""Bytes that a file's name may have, on nearly every file system."""


class Place(Protocol):
    """Where the caption of one picture stands, and how it is read and written there."""

    name: str
    """What `--to` calls it."""

    copies: bool
    """The files are copies of the pictures, which are made for pictures that have a caption, too."""

    def collision_fix(self, first: Item, second: Item) -> str:
        """What to do where two pictures would share a file."""

    def settings(self) -> Mapping[str, Any]:
        """What of it decides the result."""

    def check(self, folders: Sequence[str]) -> None:
        """See whether captions can be there.

        Args:
            folders: that are gone through for pictures.

        Raises:
            LeyendaError: they cannot.
        """

    def file_of(self, item: Item) -> str:
        """The file that holds, or will hold, the caption.

        Raises:
            ImageError: there can be no such file.
        """

    def read(self, file: str, picture: PictureSource | None) -> str | None:
        """The caption that is there; None where there is none.

        Args:
            file: of `file_of`.
            picture: the picture; None where it is not at hand.

        Raises:
            ImageError: the file cannot be read, or is that of another picture.
        """

    def placed(self, entry: Entry, picture: PictureSource) -> Entry:
        """Get ready to write the model's words: the entry as it will read, and with all that undoing it needs.

        Args:
            entry: with the model's words as its caption, what was there before, and its file.
            picture: the picture.

        Raises:
            ImageError: the file cannot take the caption.
        """

    def write(self, entry: Entry, picture: PictureSource | None) -> None:
        """Write the caption of an entry, whole.

        Args:
            entry: of `placed`; or that of a caption that stays, whose copy is made.
            picture: the picture; None where it is a file of its own.

        Raises:
            ImageError: the file cannot take the caption.
            DiskError: the disk cannot.
        """

    def restore(self, entry: Entry) -> None:
        """Make the file what it was before `write`.

        Raises:
            ImageError, DiskError: that cannot be.
        """


class Beside:
    """Captions beside the pictures, or in them, or in a folder that mirrors theirs.

    Args:
        place: how one caption is kept.
        record: the journal, which stays.
        existing: what is done where a caption is; one of `leyenda.volume.existing.MODES`.
        output: the folder that mirrors the pictures', which is made; None where there is none.
        review: where captions of too little confidence go; None where all are written.
    """

    keeps_journal = True

    def __init__(
        self,
        place: Place,
        record: Path,
        *,
        existing: str,
        output: Path | None = None,
        review: Path | None = None,
    ) -> None:
        self.place_of_one = place
        self.journal_path = record.expanduser()
        self.review = review
        self._existing = existing
        self._output = output
        self._failed: dict[str, Entry] = {}
        self._names = RecordNames(self.journal_path.parent)
        self._written_for: WrittenFor | None = None
        self._pictures: dict[str, PictureSource] = {}
        self._unwritten: dict[str, Entry] = {}
        self._copied = False

    def settings(self) -> Mapping[str, Any]:
        """How one caption is kept, and in which folder."""
        output = None if self._output is None else self._names.noted(os.path.realpath(self._output))
        return {"to": self.place_of_one.name, **self.place_of_one.settings(), "output": output}

    def check(self, inputs: Inputs) -> None:
        """See that the record can be written, and that no two pictures share a file."""
        self.place_of_one.check(inputs.folders)
        if self._output is None:
            _refuse_if_none_is_a_file(inputs, self.place_of_one.file_of)
        else:
            make_folder(self._output)
        check_output_file(self.journal_path)
        refuse_collisions(inputs, self.place_of_one.file_of, self.place_of_one.collision_fix)

    def recover(self, journal: Journal) -> None:
        """Write again what the last group may not have come to, and remember what earlier runs did."""
        self._names = names_of(journal.run, journal.path)
        if self._output is not None:
            self._written_for = WrittenFor(journal)
        for run in journal.earlier:
            if run.undone:
                continue
            for group in groups_between(journal.path, run.start, run.end):
                for entry in group.entries:
                    self._remember(entry)
            self._take_in(run, groups_between(journal.path, run.start, run.end), journal.path)
        self._take_in(journal.run, journal.groups_before(), journal.path)
        if journal.run.last is not None:
            for entry in filter(is_written, journal.run.last.entries):
                self._bring_to_an_end(entry)
        self._copied = self.place_of_one.copies and any(
            entry.kept and entry.made for group in journal.groups_before() for entry in group.entries
        )

    def _take_in(self, run: RunLog, groups: Iterator[Group], record: Path) -> None:
        if self._written_for is not None:
            self._written_for.add_run(run.begin, names_of(run, record), groups)

    def _remember(self, entry: Entry) -> None:
        if entry.error is not None:
            self._failed[entry.image] = entry
        else:
            self._failed.pop(entry.image, None)

    def _bring_to_an_end(self, noted: Entry) -> None:
        """Write what the last group may not have come to; a copy whose picture is no file waits for its input."""
        entry = found_entry(noted, self._names)
        assert noted.file is not None
        assert entry.file is not None
        remove_temporary(Path(entry.file))
        try:
            if not self._is_untouched(entry):
                return
            if self.place_of_one.copies and entry.source is None:
                self._unwritten[noted.file] = entry
            else:
                self.place_of_one.write(entry, entry.source)
        except ImageError:  # it has gone since, or became another file
            return

    def _is_untouched(self, entry: Entry) -> bool:
        file = entry.file or ""
        if self._output is None and entry.source is not None and not os.path.lexists(entry.source):
            return False
        if entry.made:
            return not os.path.lexists(file)
        return (self.place_of_one.read(file, entry.source) or "") == (entry.was or "")

    def earlier(self, item: Item) -> Entry | None:
        """The caption that is there, or why an earlier run found none."""
        try:
            file = self.place_of_one.file_of(item)
            if self._unwritten:
                self._write_at_last(self._unwritten.pop(self._names.noted(file), None), item)
            if self._written_for is not None:
                self._written_for.check(file, item)
            text = self.place_of_one.read(file, None if item.address else item.source)
        except ImageError as error:
            return Entry(item.name, error=Skipped(error.code, str(error)))
        if text is not None and text.strip():
            return Entry(item.name, text, file=file, source=item.file)
        return self._failed.get(item.name)

    def _write_at_last(self, entry: Entry | None, item: Item) -> None:
        """Write a copy that a stopped run had not come to, from its picture, which is at hand again."""
        if entry is None:
            return
        try:
            self.place_of_one.write(entry, _picture(item, None))
        except ImageError as error:
            raise LeyendaError(
                f"The copy {entry.file!r} was about to be written and cannot be: {error}",
                "Run the command again when its picture is there; or begin anew with --overwrite.",
            ) from error

    def forget_earlier(self, name: str) -> None:
        """A file is found again by its picture."""

    def place(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Entry], Mapping[str, Any]]:
        """Note the files, and what is in them now: a person may have written there a moment ago."""
        self._pictures.clear()
        return [self._placed(entry, outcome) for entry, outcome in zip(entries, outcomes, strict=True)], {}

    def _placed(self, entry: Entry, outcome: Outcome) -> Entry:
        """The entry with its files, by the names that these have in the record."""
        item, copies = outcome.task.item, self.place_of_one.copies
        if entry.error is not None:
            return entry
        try:
            if not entry.kept or (copies and not os.path.lexists(entry.file or "")):
                picture = _picture(item, outcome.data) if copies else item.source
                entry = self._to_write(entry, item, picture)
                noted = _with_names(entry, self._names.noted)
                if copies and noted.file is not None:
                    self._pictures[noted.file] = picture
                return noted
            return _with_names(entry, self._names.noted)
        except ImageError as error:
            return Entry(entry.image, error=Skipped(error.code, str(error)), digest=entry.digest)

    def _to_write(self, entry: Entry, item: Item, picture: PictureSource) -> Entry:
        """An entry whose file is about to be written; a caption that is there stays, and its picture is copied."""
        file = self.place_of_one.file_of(item)
        if self._written_for is not None:
            self._written_for.check(file, item)
        now = self.place_of_one.read(file, picture)
        made = not os.path.lexists(file)
        if entry.kept or (now is not None and now.strip() and self._existing == SKIP):
            made = made and self.place_of_one.copies
            return Entry(entry.image, now or entry.caption, kept=True, file=file, source=item.file, made=made)
        said = entry.said or entry.caption or ""
        entry = replace(entry, caption=said, was=now, file=file, source=item.file, made=made)
        entry = self.place_of_one.placed(entry, picture)
        return replace(entry, said=None if entry.caption == said else said)

    def apply(self, group: Group) -> None:
        """Write the files of a group."""
        for noted in filter(is_written, group.entries):
            self._copied = self._copied or noted.kept
            entry = found_entry(noted, self._names)
            self.place_of_one.write(entry, self._pictures.get(noted.file or "", entry.source))
        self._pictures.clear()

    def leftovers(self) -> Iterator[Sequence[Entry]]:
        """Files of other pictures are none of this run's business."""
        return iter(())

    def finish(self, journal: Journal) -> None:
        """Everything is written; say so, and write the review list."""
        if self.review is not None:
            write_review(self.review, journal.entries())
            put_in_place(self.review)
        journal.finish({})

    def nothing_new(self, journal: Journal) -> None:
        """The record stays as it was, unless pictures were copied."""
        if self._copied:
            journal.finish({})
        else:
            journal.forget_run()

    def summary(self) -> str:
        """Where the record is."""
        return f"the captions and {self.journal_path}"


def _refuse_if_none_is_a_file(inputs: Inputs, file_of: Callable[[Item], str]) -> None:
    """See that there is a picture which something can stand beside.

    Args:
        inputs: the pictures.
        file_of: says of one that is no file why nothing can, and what to do.

    Raises:
        LeyendaError: all lie in tables or shards, or at addresses.
    """
    first = None
    for item in inputs.usable():
        if item.file is not None:
            return
        first = first or item
    if first is not None:
        try:
            file_of(first)
        except ImageError as error:
            raise LeyendaError(error.cause, error.fix) from error


def record_path(record: str | Path | None, output: str | Path | None, folder: str | None) -> Path:
    """Where the record lies: where the user says, else in the output folder, the input folder, or here."""
    if record is not None:
        return Path(record)
    return Path(output if output is not None else folder or ".") / RECORD_NAME


def names_of(run: RunLog, record: Path) -> RecordNames:
    """What a run in a record calls files."""
    return RecordNames(record.parent if run.names_folder is None else run.names_folder)


def is_written(entry: Entry) -> bool:
    """Whether its file was written for it."""
    return entry.file is not None and entry.error is None and (entry.made or not entry.kept)


def found_entry(entry: Entry, names: RecordNames) -> Entry:
    """An entry of a record with the names by which its files can be opened."""
    return _with_names(entry, names.path)


def target_of(item: Item, output: str | None) -> str:
    """The file of an input: its own, or the one of the same relative path in the output folder.

    Raises:
        ImageError: it is no file, and there is no output folder; or no file can have its name.
    """
    if output is None:
        if item.file is None:
            raise ImageError(
                "unreadable",
                f"{item.name!r} is no file of its own, so that nothing can stand beside it.",
                "Name a folder: --output FOLDER.",
            )
        return _possible(item.file, item)
    return _possible(os.path.join(output, safe_relative(item.relative) or "picture"), item)


def _possible(file: str, item: Item) -> str:
    try:
        impossible = b"\0" in os.fsencode(file + item.relative + (item.file or ""))
    except UnicodeEncodeError:
        impossible = True
    if impossible:
        raise ImageError("missing", f"There is no file {item.name!r}: no file can have such a name.")
    return file


def check_length(file: str, item: Item, fix: str) -> None:
    """See that the name of a file is not too long.

    Args:
        file: the file.
        item: what it is for.
        fix: what to do otherwise.

    Raises:
        ImageError: it is.
    """
    longest = max(len(name) for name in os.fsencode(file).split(b"/"))
    if longest > _LONGEST_NAME:
        raise ImageError(
            "name_too_long",
            f"{item.name!r}: the name of the file for it would have {longest} bytes, more than {_LONGEST_NAME}.",
            fix,
        )


def _with_names(entry: Entry, named: Callable[[str], str]) -> Entry:
    file, source = (None if name is None else named(name) for name in (entry.file, entry.source))
    return replace(entry, file=file, source=source)


def _picture(item: Item, fetched: bytes | None) -> PictureSource:
    """The picture of an input, fetched if need be.

    Raises:
        ImageError: it cannot be.
    """
    if fetched is not None:
        return PictureBytes(fetched, item.name)
    return read_item(item, DEFAULT_MAX_PIXELS)[0] if item.address else item.source
