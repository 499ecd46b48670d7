"""What captions: inputs in, what became of them out, in groups that are written together.

An engine is given tasks in order and gives every one of them back in order, each with a caption or a reason. It may
look ahead and work on many at once. Which tasks share a group must depend on the tasks alone and on nothing else (no
clock, no thread, no machine), since a group is what a stopped run loses at most, and what it then does again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from leyenda.records import Caption, Skipped
from leyenda.volume.entry import Entry
from leyenda.volume.item import Item

LARGEST_GROUP = 256
"""Tasks of a group at most, those that need no model included."""


@dataclass(frozen=True, slots=True)
class Task:
    """An input on its way through an engine.

    Args:
        item: the input.
        settled: what became of it already, so that nothing is left to do: the engine passes the task on.
        earlier: what the input has already: the caption will replace its text, or be joined to it.
    """

    item: Item
    settled: Entry | None = None
    earlier: Entry | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine makes of a task.

    Args:
        task: the task.
        result: the caption or the reason; None for a task that was settled.
        digest: of the encoded picture; empty where it could not be read, or was not.
        copied: the caption is that of an earlier input that is the same picture.
        data: the encoded picture where it came over the network, so that it is not fetched twice.
    """

    task: Task
    result: Caption | Skipped | None
    digest: str = ""
    copied: bool = False
    data: bytes | None = None


class Engine(Protocol):
    """Captions tasks."""

    def groups(self, tasks: Iterator[Task], stopping: Callable[[], bool]) -> Iterator[Sequence[Outcome]]:
        """Caption tasks.

        Args:
            tasks: read as far ahead as is useful.
            stopping: whether the user asked to stop: what was begun is finished and given, nothing else is begun.

        Yields:
            Groups of outcomes, all tasks in order; at the end, unless it is stopped, none is missing.
        """

    def close(self) -> None:
        """Give back what the engine holds."""
