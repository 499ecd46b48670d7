"""Names of files in a record: relative to its folder where they lie below it, so that both can be moved together."""

from __future__ import annotations

import os
from pathlib import Path


class RecordNames:
    """What a record calls files, and where these are.

    Args:
        folder: the record's; or the working folder, for records that were begun before names were relative to theirs.

    >>> RecordNames(Path("/photos")).noted("/photos/birds/a.txt"), RecordNames(Path("/photos")).noted("/other/a.txt")
    ('birds/a.txt', '/other/a.txt')
    >>> RecordNames(Path("photos")).path("birds/a.txt"), RecordNames(Path("photos")).path("/other/a.txt")
    ('photos/birds/a.txt', '/other/a.txt')
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = os.path.realpath(folder)

    def noted(self, file: str) -> str:
        """The name of a file, whatever the working folder is."""
        place = real_place(file)
        if os.path.commonpath([self._real, place]) == self._real:
            return os.path.relpath(place, self._real)
        return place

    def path(self, name: str) -> str:
        """The file of that name, as it can be opened from the working folder."""
        return str(self._folder / name)


def real_place(file: str) -> str:
    """Where a file is, however the way to it is spelled; a link is the link itself and not what it leads to."""
    folder, name = os.path.split(file)
    return os.path.join(os.path.realpath(folder), name)
