"""What each kind of output is to the rest of leyenda."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from leyenda.volume.engine import Outcome
from leyenda.volume.entry import Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal


class Output(Protocol):
    """Where captions go.

    A run calls `check`, opens the journal, and calls `recover`. Then for each group `place`, the journal's own
    `commit`, and `apply`; at the end `finish`. Everything may be cut short at any moment and begins again with `check`.
    """

    journal_path: Path
    """Where the journal lies."""

    keeps_journal: bool
    """The journal stays when all is done, as the record of what was replaced."""

    review: Path | None
    """The list of captions that are not sure enough; None where all are written."""

    def settings(self) -> Mapping[str, Any]:
        """What of it decides the result; a run with other settings does not go on with this one's journal."""

    def check(self, inputs: Inputs) -> None:
        """See whether it can be written, before the work.

        Raises:
            LeyendaError: it cannot, or two inputs would be written to one place.
        """

    def recover(self, journal: Journal) -> None:
        """Bring to an end what the last group of a stopped run had begun, and undo what no group holds."""

    def earlier(self, item: Item) -> Entry | None:
        """What an input has already: a caption, or the reason why an earlier run gave it none; asked once each."""

    def forget_earlier(self, name: str) -> None:
        """Take what an input of that name has as asked for."""

    def place(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Entry], Mapping[str, Any]]:
        """Get ready to write a group: the entries with what the output notes in them, and what it notes with them."""

    def apply(self, group: Group) -> None:
        """Write what is written picture by picture; the group has happened already."""

    def leftovers(self) -> Iterator[Sequence[Entry]]:
        """Entries of the finished output whose inputs were not named this time, some at a time: they stay."""

    def finish(self, journal: Journal) -> None:
        """Write what is written at the end, and say in the journal that the run is finished.

        Raises:
            DiskError: it cannot be written; the journal stays.
        """

    def nothing_new(self, journal: Journal) -> None:
        """Leave everything as it was before the run, which found nothing to do."""

    def summary(self) -> str:
        """Where the captions are, for people."""
