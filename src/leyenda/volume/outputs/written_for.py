"""For which picture each file in an output folder was written: folders of the same names may not be mixed there."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.errors import ImageError
from leyenda.volume.entry import Entry
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal
from leyenda.volume.name_hash import name_hash
from leyenda.volume.record_names import RecordNames, real_place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WrittenFor:
    """What the record says of the files, in memory of 16 bytes each.

    Args:
        journal: the record.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._runs: list[tuple[int, RecordNames]] = []
        self._files, self._places = array("Q"), array("Q")
        self._sorted: tuple[NDArray[np.uint64], NDArray[np.intp]] | None = None

    def add_run(self, begin: int, names: RecordNames, groups: Iterable[Group]) -> None:
        """Take in the files of a run, those of earlier runs first.

        Args:
            begin: the byte of the record at which it begins.
            names: what it calls files.
            groups: what it wrote.
        """
        self._runs.append((begin, names))
        for group in groups:
            for entry, position in zip(group.entries, group.lines, strict=True):
                if entry.file is not None and entry.error is None:
                    self._files.append(_hash(names.path(entry.file)))
                    self._places.append(position)

    def check(self, file: str, item: Item) -> None:
        """See that a file that is there was not written for another picture.

        A picture that is not there any more may have been moved, and be this one.

        Raises:
            ImageError: it was.
        """
        entry = self._entry(file) if os.path.lexists(file) else None
        if entry is None:
            return
        if entry.source is not None and item.file is not None:
            other = os.path.exists(entry.source) and not _same_file(entry.source, item.file)
        else:
            other = not _same_name(entry.image, item.name)
        if other:
            other_name = entry.image if entry.source is None else RecordNames(Path()).noted(entry.source)
            raise ImageError(
                "name_taken",
                f"{item.name!r} gets no caption: {file!r} was written for {other_name!r}.",
                "Name another folder: --output FOLDER.",
            )

    def _entry(self, file: str) -> Entry | None:
        """What was written into a file last, with its source as it can be opened."""
        import numpy as np

        if self._sorted is None:
            files = np.array(self._files, np.uint64)
            order = np.argsort(files, kind="stable")
            self._sorted = files[order], order
        files, order = self._sorted
        key = _hash(file)
        number = int(np.searchsorted(files, np.uint64(key), side="right")) - 1
        if number < 0 or int(files[number]) != key:
            return None
        position = self._places[int(order[number])]
        entry = self._journal.entry_at(position)
        _, names = self._runs[bisect_right(self._runs, position, key=lambda run: run[0]) - 1]
        return replace(entry, source=None if entry.source is None else names.path(entry.source))


def _hash(file: str) -> int:
    return name_hash(os.fsencode(real_place(file)))


def _same_file(one: str, other: str) -> bool:
    return os.path.exists(other) and os.path.samefile(one, other)


def _same_name(one: str, other: str) -> bool:
    """Whether names of addresses and of pictures in other files mean the same, from whichever folder they were typed.

    >>> _same_name("shards/a.tar/1.jpg", "../a.tar/1.jpg"), _same_name("a.tar/1.jpg", "b.tar/1.jpg")
    (True, False)
    """
    first, second = (_parts(name) for name in (one, other))
    length = min(len(first), len(second))
    return first[-length:] == second[-length:]


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".", "..")]
