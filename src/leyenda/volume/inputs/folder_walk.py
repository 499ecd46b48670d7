"""Pictures in and below a folder, sorted by path, without a list of all of them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence

from leyenda.errors import LeyendaError
from leyenda.images.names import is_picture

ANY_DEPTH = "**"
EVERYTHING = (ANY_DEPTH, "*")

_Places = frozenset[int]
"""How many parts of a pattern the path so far may have used up."""


def pictures_below(
    folder: str,
    pattern: Sequence[str] = EVERYTHING,
    *,
    hidden: bool = False,
    in_order: bool = True,
) -> Iterator[str]:
    """Paths of the pictures that match a pattern, in the order of `sorted`.

    Links to folders are followed, and each real folder is entered once, so that loops of links end. In memory are the
    names in the folders from the first one down to the one where the next picture lies.

    Args:
        folder: where to begin; empty for the working folder, whose name the paths then lack.
        pattern: a glob's parts below the folder; `**` stands for folders at any depth.
        hidden: also files and folders whose name begins with a dot.
        in_order: False gives them as they come, to count them.

    Raises:
        LeyendaError: a folder may not be read.
    """
    walk = _Walk(pattern, hidden, in_order)
    return walk.below(folder, _closure(frozenset([0]), pattern))


def enters(start: str, pattern: Sequence[str], folder: str, *, hidden: bool) -> bool:
    """Whether a walk looks for pictures in a folder, which need not be there yet.

    Args:
        start: where the walk begins; empty for the working folder.
        pattern: as for `pictures_below`.
        folder: the folder in question.
        hidden: as for `pictures_below`.

    >>> enters("photos", ["*.jpg"], "photos/out", hidden=False)
    False
    >>> enters("photos", ["**", "*.jpg"], "photos/out", hidden=False)
    True
    """
    way = os.path.relpath(os.path.realpath(folder), os.path.realpath(start or "."))
    parts = [] if way == "." else way.split(os.sep)
    places = _closure(frozenset([0]), pattern)
    for part in parts:
        places = _step(places, part, pattern, hidden, is_folder=True)
    return parts[:1] != [".."] and any(place < len(pattern) for place in places)


class _Walk:
    """One walk.

    Args:
        pattern, hidden, in_order: as for `pictures_below`.
    """

    def __init__(self, pattern: Sequence[str], hidden: bool, in_order: bool) -> None:
        self._pattern = pattern
        self._hidden = hidden
        self._in_order = in_order
        self._entered: set[tuple[int, int]] = set()

    def below(self, folder: str, places: _Places) -> Iterator[str]:
        """The pictures below a folder, at which the pattern has come to some places."""
        waiting = [self._open(folder, places)]
        while waiting:
            folder, places, names = waiting[-1]
            name = next(names, None)
            if name is None:
                waiting.pop()
                continue
            path = os.path.join(folder, name.removesuffix("/"))
            if not name.endswith("/"):
                yield path
            elif self._is_new(path):
                after = _step(places, name[:-1], self._pattern, self._hidden, is_folder=True)
                waiting.append(self._open(path, after))

    def _open(self, folder: str, places: _Places) -> tuple[str, _Places, Iterator[str]]:
        self._is_new(folder or ".")
        names = self._names(folder, places)
        if self._in_order:
            # A folder sorts as `name/`, so that the paths below it come in the order of all paths.
            names = iter(sorted(names))
        return folder, places, names

    def _names(self, folder: str, places: _Places) -> Iterator[str]:
        """The names in a folder that the pattern wants, those of folders with a slash behind."""
        try:
            with os.scandir(folder or ".") as entries:
                for entry in entries:
                    is_folder = _is_folder(entry)
                    after = _step(places, entry.name, self._pattern, self._hidden, is_folder=is_folder)
                    if is_folder and any(place < len(self._pattern) for place in after):
                        yield entry.name + "/"
                    elif not is_folder and len(self._pattern) in after and is_picture(entry.name):
                        yield entry.name
        except OSError as error:
            raise _unreadable(folder or ".", error) from error

    def _is_new(self, folder: str) -> bool:
        """Whether a folder has not been entered yet; now it has."""
        try:
            status = os.stat(folder)
        except OSError as error:
            raise _unreadable(folder, error) from error
        identity = status.st_dev, status.st_ino
        new = identity not in self._entered
        self._entered.add(identity)
        return new


def _unreadable(folder: str, error: OSError) -> LeyendaError:
    return LeyendaError(f"The folder {folder!r} cannot be read: {error.strerror}.", "Check its permissions.")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: it is reported as a picture that cannot be read
        return False


def _step(places: _Places, name: str, pattern: Sequence[str], hidden: bool, *, is_folder: bool) -> _Places:
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
