"""Captions in one file: JSON lines, CSV or Parquet, written whole from the journal when all is done."""

from __future__ import annotations

import filecmp
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from leyenda.errors import LeyendaError, disk_error
from leyenda.jobs.output_file import check_output_file
from leyenda.volume.engine import LARGEST_GROUP, Outcome
from leyenda.volume.entries_by_name import EntriesByName, entries_of_lines
from leyenda.volume.entry import Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal, run_logs
from leyenda.volume.json_line import json_line, valid_text
from leyenda.volume.named_inputs import refuse_own_input
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.file_history import keep_before, write_changes
from leyenda.volume.review import write_review
from leyenda.volume.whole_file import behind_link, being_written, put_in_place, temporary_of

UNREADABLE = (ValueError, KeyError, TypeError)
"""What reading a file raises that does not hold captions."""

_LOOKED_AT = 100
"""Entries of a file that is there which must be readable before the work begins."""


class OneFile:
    """One file of captions and reasons.

    Args:
        path: the file.
        format_: how it is written.
        overwrite: begin anew, whatever is there.
        review: where captions of too little confidence go; None where all are written.
        history: keep a file whose texts are replaced, for undoing it.
    """

    keeps_journal = False

    def __init__(
        self,
        path: Path | str,
        format_: FileFormat,
        *,
        overwrite: bool = False,
        review: Path | None = None,
        history: bool = True,
    ) -> None:
        self.path = behind_link(Path(path).expanduser())
        self.format = format_
        self.overwrite = overwrite
        self.review = review
        self._history = history
        self.journal_path = self.path.with_name(self.path.name + ".partial")
        self._known: EntriesByName | None = None
        self.whole = False

    def settings(self) -> Mapping[str, Any]:
        """The format; where the file lies, the journal beside it says."""
        return {"to": self.format.name}

    def check(self, inputs: Inputs) -> None:
        """See whether it can be written, and read what is there."""
        check_output_file(self.path)
        refuse_own_input(self.path, inputs.files)
        if self.journal_path.exists():
            self._complete_if_finished()
        if self.path.exists() and not self.overwrite:
            self._known = entries_in(self.path, self.format)

    def _complete_if_finished(self) -> None:
        """A run that was killed in its very last step has written everything but the names."""
        runs = run_logs(self.journal_path)
        if runs and runs[-1].finished is not None:
            self._put_in_place(bool(runs[-1].finished.get("replaced")))
            self.journal_path.unlink()

    def recover(self, journal: Journal) -> None:
        """Nothing is written before the end."""

    def earlier(self, item: Item) -> Entry | None:
        """What the finished file says about an input, which keeps the name that it has there."""
        name = self._name(item.name)
        entry = self._known.take(name) if self._known is not None else None
        return replace(entry, image=item.name) if entry is not None and entry.image == name else entry

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
            write_review(self.review, journal.entries(), anew=self.overwrite)
        replaced = self._history and self._replaces(journal)
        if replaced:
            write_changes(self.path, self.format, journal.entries(), anew=self.overwrite)
        journal.finish({"replaced": replaced})
        self._put_in_place(replaced)
        journal.remove()
        self.whole = True

    def _replaces(self, journal: Journal) -> bool:
        """Whether what the file says now would be lost."""
        if not self.overwrite:
            return any(entry.was is not None for entry in journal.entries())
        return self.path.exists() and not filecmp.cmp(self.path, temporary_of(self.path), shallow=False)

    def nothing_new(self, journal: Journal) -> None:
        """Leave the finished file as it is."""
        journal.forget_run()
        self.whole = True

    def _put_in_place(self, replaced: bool) -> None:
        if replaced and temporary_of(self.path).exists():
            keep_before(self.path)
        put_in_place(self.path)
        if self.review is not None:
            put_in_place(self.review)

    def _name(self, name: str) -> str:
        return name if self.format.json_lines else valid_text(name)

    def summary(self) -> str:
        """The file's name."""
        return str(self.path)


def entries_in(path: Path, format_: FileFormat) -> EntriesByName:
    """What a finished file says, to be found by name.

    Raises:
        LeyendaError: it does not hold captions.
        DiskError: it cannot be read.
    """
    try:
        read = format_.read(path)
        first = list(islice(read, _LOOKED_AT))
        if format_.json_lines:
            return entries_of_lines(open(path, "rb"), lambda line: _entry_of_line(line, path))
        # Lines in which any entry can be found again; the file has no name, and goes when the process ends.
        lines = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        for entry in chain(first, read):
            lines.write((json_line(entry.as_json()) + "\n").encode())
    except UNREADABLE as error:
        raise LeyendaError(
            f"{str(path)!r} exists already, and does not hold captions as leyenda writes them.",
            "Choose another name, or replace it with --overwrite.",
        ) from error
    except OSError as error:
        raise disk_error(error, path) from error
    return entries_of_lines(lines, lambda line: Entry.from_json(json.loads(line)))


def _entry_of_line(line: bytes, path: Path) -> Entry:
    try:
        return Entry.from_public(json.loads(line))
    except UNREADABLE as error:
        raise LeyendaError(
            f"{str(path)!r} holds a line that is no caption: {line[:40]!r}.",
            "Choose another name, or replace it with --overwrite.",
        ) from error
