"""What each kind of input is to the rest of leyenda."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from leyenda.volume.item import Item


class Source(Protocol):
    """One thing that a user named; what is not said by a kind of input is as here."""

    is_table: bool = False
    """It has rows, of which one column names or holds the picture."""

    @property
    def folder(self) -> str | None:
        """The folder that was named, where a record beside the pictures may lie; None for anything else."""
        return None

    @property
    def file(self) -> str | None:
        """The file that was named, which nothing may be written over; None for anything else."""
        return None

    def items(self) -> Iterator[Item]:
        """Its pictures, in the same order each time; at no time are all of them in memory.

        Raises:
            LeyendaError: it cannot be read.
        """

    @property
    def columns(self) -> Sequence[str] | None:
        """Names of what it says of its pictures, for prompts; None where that is found out picture by picture."""
        return ()

    def count(self) -> int | None:
        """How many pictures there are; None where finding out takes as long as reading them."""

    def check(self) -> None:
        """Look whether there is anything to caption, before a model is loaded for it.

        Raises:
            LeyendaError: there is not.
        """

    def finds_pictures_in(self, folder: str) -> bool:
        """Whether pictures that are put into a folder would be inputs the next time."""
        return False

    def finds_shards_in(self, folder: str) -> bool:
        """Whether shards that are put into a folder would be inputs the next time."""
        return False
