"""Captions picture by picture: in a text file beside each, or inside it. The journal stays, as their history.

What was there before stands in the journal, on the disk, before a file is touched; then the file is written whole.
A run that is stopped between the two does the last group's files again when it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from leyenda.errors import ImageError
from leyenda.jobs.output_file import check_output_file
from leyenda.records import Skipped
from leyenda.text_control import TextRules
from leyenda.volume.engine import Outcome
from leyenda.volume.entry import Entry
from leyenda.volume.existing import SKIP, joined
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal, groups_between
from leyenda.volume.outputs.collisions import refuse_collisions
from leyenda.volume.review import write_review
from leyenda.volume.whole_file import make_folder, put_in_place, remove_temporary

RECORD_NAME = "leyenda-captions.jsonl"


class Place(Protocol):
    """Where the caption of one picture stands, and how it is read and written there."""

    name: str
    """What `--to` calls it."""

    collision_fix: str
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

    def read(self, file: str, source: str | None) -> str | None:
        """The caption that is there; None where there is none.

        Args:
            file: of `file_of`.
            source: the picture file.

        Raises:
            ImageError: the file cannot be read.
        """

    def placed(self, entry: Entry) -> Entry:
        """Get ready to write an entry that has its caption, its file and its source: with all that undoing it needs.

        Raises:
            ImageError: the file cannot take the caption.
        """

    def write(self, entry: Entry) -> None:
        """Write the caption of an entry, whole.

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
        text: what new captions hold to already.
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
        text: TextRules | None = None,
        output: Path | None = None,
        review: Path | None = None,
    ) -> None:
        self.place_of_one = place
        self.journal_path = record.expanduser()
        self.review = review
        self._existing = existing
        self._text = text
        self._output = output
        self._failed: dict[str, Entry] = {}

    def settings(self) -> Mapping[str, Any]:
        """How one caption is kept."""
        return {"to": self.place_of_one.name, **self.place_of_one.settings()}

    def check(self, inputs: Inputs) -> None:
        """See that the record can be written, and that no two pictures share a file."""
        self.place_of_one.check(inputs.folders)
        if self._output is not None:
            make_folder(self._output)
        check_output_file(self.journal_path)
        refuse_collisions(inputs, self.place_of_one.file_of, self.place_of_one.collision_fix)

    def recover(self, journal: Journal) -> None:
        """Write again what the last group may not have come to, and remember what failed in earlier runs."""
        if journal.run.last is not None:
            for entry in journal.run.last.entries:
                if entry.file is not None and not entry.kept:
                    remove_temporary(Path(entry.file))
                    self._write_if_untouched(entry)
        for run in journal.earlier:
            if run.undone:
                continue
            for group in groups_between(journal.path, run.start, run.end):
                for entry in group.entries:
                    self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        if entry.error is not None:
            self._failed[entry.image] = entry
        else:
            self._failed.pop(entry.image, None)

    def _write_if_untouched(self, entry: Entry) -> None:
        assert entry.file is not None
        try:
            if (self.place_of_one.read(entry.file, entry.source) or "") == (entry.was or ""):
                self.place_of_one.write(entry)
        except ImageError:  # it has gone since, or became another file
            return

    def earlier(self, item: Item) -> Entry | None:
        """The caption that is there, or why an earlier run found none."""
        try:
            file = self.place_of_one.file_of(item)
            text = self.place_of_one.read(file, item.file)
        except ImageError as error:
            return Entry(item.name, error=Skipped(error.code, str(error)))
        if text is not None and text.strip():
            return Entry(item.name, text, file=file)
        return self._failed.get(item.name)

    def forget_earlier(self, name: str) -> None:
        """A file is found again by its picture."""

    def place(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Entry], Mapping[str, Any]]:
        """Note the files, and what is in them now: a person may have written there a moment ago."""
        return [
            entry if entry.kept or entry.error is not None else self._placed(entry, outcome.task.item)
            for entry, outcome in zip(entries, outcomes, strict=True)
        ], {}

    def _placed(self, entry: Entry, item: Item) -> Entry:
        said = entry.said or entry.caption or ""
        try:
            file = self.place_of_one.file_of(item)
            now = self.place_of_one.read(file, item.file)
            if now is not None and now.strip() and self._existing == SKIP:
                return Entry(entry.image, now, file=file, kept=True)
            text = joined(self._existing, now, said, self._text)
            return self.place_of_one.placed(
                replace(
                    entry,
                    caption=text,
                    said=None if text == said else said,
                    was=now,
                    file=file,
                    source=item.file,
                    made=not os.path.lexists(file),
                )
            )
        except ImageError as error:
            return Entry(entry.image, error=Skipped(error.code, str(error)), digest=entry.digest)

    def apply(self, group: Group) -> None:
        """Write the files of a group."""
        for entry in group.entries:
            if entry.file is not None and not entry.kept and entry.error is None:
                self.place_of_one.write(entry)

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
        """The record stays as it was."""
        journal.forget_run()

    def summary(self) -> str:
        """Where the record is."""
        return f"the captions and {self.journal_path}"


def record_path(record: str | Path | None, output: str | Path | None, folder: str | None) -> Path:
    """Where the record lies: where the user says, else in the output folder, the input folder, or here."""
    if record is not None:
        return Path(record)
    return Path(output if output is not None else folder or ".") / RECORD_NAME


def target_of(item: Item, output: str | None, *, ending: str = "") -> str:
    """The file of an input: its own, or the one of the same relative path in the output folder.

    Raises:
        ImageError: it is no file, and there is no output folder.
    """
    if output is None:
        if item.file is None:
            raise ImageError(
                "unreadable",
                f"{item.name!r} is no file of its own, so that nothing can stand beside it.",
                "Name a folder: --output FOLDER.",
            )
        return item.file + ending
    return os.path.join(output, (item.relative or "picture") + ending)
