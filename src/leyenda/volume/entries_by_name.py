"""Entries of an earlier run, found by the names of the inputs, in memory that hardly grows with their number."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

from leyenda.volume.entry import Entry
from leyenda.volume.item import is_address
from leyenda.volume.name_hash import name_hash

Positioned: TypeAlias = tuple[int, Entry]
"""An entry and where it lies."""

_BYTES_AT_ONCE = 1 << 16


class EntriesByName:
    """Entries, each of which is taken once.

    As long as the names are asked for in the order of the entries, both are gone through side by side, and nothing is
    held. When that ends, 16 bytes an entry are. A file that is spelled in another way has the same name.

    Args:
        read: goes through all entries, in order.
        at: the entry that lies at a position.

    >>> entries = [(0, Entry("a.jpg", "a dog")), (1, Entry("b.jpg", "a cat"))]
    >>> known = EntriesByName(lambda: iter(entries), lambda position: entries[position][1])
    >>> known.take("b.jpg").caption, known.take("b.jpg"), known.take("a.jpg").caption
    ('a cat', None, 'a dog')
    """

    def __init__(self, read: Callable[[], Iterator[Positioned]], at: Callable[[int], Entry]) -> None:
        self._at = at
        self._entries = read()
        self._next = next(self._entries, None)
        self._index: _Index | None = None

    def take(self, name: str) -> Entry | None:
        """The first entry of that name which was not taken yet; None where there is none."""
        if self._next is None:
            return None
        if self._index is None:
            entry = self._next[1]
            if is_same_name(entry.image, name):
                self._next = next(self._entries, None)
                return entry
            self._index = _Index([self._next], self._entries)
        position = self._index.take(name, lambda found: is_same_name(self._at(found).image, name))
        return None if position is None else self._at(position)

    def rest(self) -> Iterator[Entry]:
        """All that were not taken, in their order; afterwards there are none."""
        if self._index is not None:
            for position in self._index.rest():
                yield self._at(position)
        while self._index is None and self._next is not None:
            entry = self._next[1]
            self._next = next(self._entries, None)
            yield entry
        self._next = None


def entries_of_lines(
    file: BinaryIO, entry_of_line: Callable[[bytes], Entry], *, start: int = 0
) -> EntriesByName:
    """Entries that stand in a file, one a line; blank lines are passed over.

    Args:
        file: stays open for as long as the entries are asked for.
        entry_of_line: reads one.
        start: the byte at which the first one begins.
    """

    def read() -> Iterator[Positioned]:
        position = start
        while True:  # entries may be asked for in between, at other places
            file.seek(position)
            lines = file.readlines(_BYTES_AT_ONCE)
            if not lines:
                return
            for line in lines:
                if not line.isspace():
                    yield position, entry_of_line(line)
                position += len(line)

    def at(position: int) -> Entry:
        file.seek(position)
        return entry_of_line(file.readline())

    return EntriesByName(read, at)


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are those of one picture; `./a.jpg` and `a.jpg` are.

    >>> is_same_name("photos//a.jpg", "./photos/a.jpg"), is_same_name("http://a.b/c", "http://a.b//c")
    (True, False)
    """
    return one == other or _identity(one) == _identity(other)


def _identity(name: str) -> str:
    return name if is_address(name) else os.path.abspath(name)


class _Index:
    """Hashed names and where their entries lie."""

    def __init__(self, first: list[Positioned], others: Iterator[Positioned]) -> None:
        keys, places = array("Q"), array("Q")
        for entries in (first, others):
            for position, entry in entries:
                keys.append(_key(entry.image))
                places.append(position)
        order = sorted(range(len(keys)), key=keys.__getitem__)  # stable: entries of one name stay in order
        self._keys = array("Q", (keys[number] for number in order))
        self._places = array("Q", (places[number] for number in order))
        self._taken = bytearray(len(keys))

    def take(self, name: str, is_it: Callable[[int], bool]) -> int | None:
        key = _key(name)
        number = bisect_left(self._keys, key)
        while number < len(self._keys) and self._keys[number] == key:
            if not self._taken[number] and is_it(self._places[number]):
                self._taken[number] = True
                return self._places[number]
            number += 1
        return None

    def rest(self) -> Iterator[int]:
        left = (place for place, taken in zip(self._places, self._taken, strict=True) if not taken)
        yield from sorted(left)


def _key(name: str) -> int:
    # A table may hold names that no file can have.
    return name_hash(_identity(name).encode("utf-8", "surrogatepass"))
