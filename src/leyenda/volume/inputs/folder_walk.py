"""Pictures in and below a folder, sorted by path, without a list of all of them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from leyenda.errors import LeyendaError
from leyenda.images.names import is_picture

ANY_DEPTH = "**"
_EVERYTHING = (ANY_DEPTH, "*")

_Places = frozenset[int]
"""How many parts of a pattern the path so far may have used up."""


class _Found(NamedTuple):
    """A file or folder in a folder."""

    sorted_by: str
    path: str
    is_folder: bool
    places: _Places


def pictures_below(
    folder: str, pattern: Sequence[str] = _EVERYTHING, *, hidden: bool = False, any_file: bool = False
) -> Iterator[str]:
    """Paths of the pictures that match a pattern, in the order of `sorted`.

    Links to folders are followed, and each real folder is entered once, so that loops of links end.

    Args:
        folder: where to begin; empty for the working folder, whose name the paths then lack.
        pattern: a glob's parts below the folder; `**` stands for folders at any depth.
        hidden: also files and folders whose name begins with a dot.
        any_file: also files whose ending is not a picture's.

    Raises:
        LeyendaError: a folder may not be read.
    """
    entered = {_identity(folder or ".")}
    start = _closure(frozenset([0]), pattern)
    waiting = [iter(_sorted(folder, start, pattern, hidden, any_file))]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
        elif not found.is_folder:
            yield found.path
        elif (identity := _identity(found.path)) not in entered:
            entered.add(identity)
            waiting.append(iter(_sorted(found.path, found.places, pattern, hidden, any_file)))


def _sorted(
    folder: str, places: _Places, pattern: Sequence[str], hidden: bool, any_file: bool
) -> list[_Found]:
    """What is in one folder. A folder sorts as `name/`, so that the paths below come in the order of all paths."""
    found = []
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                is_folder = _is_folder(entry)
                name = entry.name
                after = _step(places, name, pattern, hidden, is_folder)
                if is_folder:
                    wanted = any(place < len(pattern) for place in after)
                else:
                    wanted = len(pattern) in after and (any_file or is_picture(name))
                if wanted:
                    path = os.path.join(folder, name)
                    found.append(_Found(name + "/" * is_folder, path, is_folder, after))
    except OSError as error:
        raise LeyendaError(
            f"The folder {folder or '.'!r} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    return sorted(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: it is reported as a picture that cannot be read
        return False


def _step(places: _Places, name: str, pattern: Sequence[str], hidden: bool, is_folder: bool) -> _Places:
    after = set()
    is_hidden = name.startswith(".")
    for place in places:
        if place == len(pattern):
            continue
        part = pattern[place]
        if part == ANY_DEPTH:
            if is_folder and (hidden or not is_hidden):
                after.add(place)
        elif (hidden or not is_hidden or part.startswith(".")) and _matches(name, part):
            after.add(place + 1)
    return _closure(frozenset(after), pattern)


def _closure(places: _Places, pattern: Sequence[str]) -> _Places:
    """Add the places that are reached by `**` standing for no folder at all."""
    reached = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] == ANY_DEPTH:
            place += 1
            reached.add(place)
    return frozenset(reached)


def _matches(name: str, part: str) -> bool:
    return re.match(fnmatch.translate(part), name) is not None


def _identity(folder: str) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError as error:
        raise LeyendaError(
            f"The folder {folder!r} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    return status.st_dev, status.st_ino
