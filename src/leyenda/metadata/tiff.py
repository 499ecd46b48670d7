"""TIFF and BigTIFF: the XMP packet is tag 700 of the first directory (XMP part 3, section 1.1.8).

Everything in a TIFF file is found by its offset, so nothing that is there moves: a directory with one more entry and
the packet are put at the file's end, and the header is pointed at them. Before them stands a note with the place of
the former directory, so that taking the packet out gives the former file back.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from leyenda.metadata.damage import Damaged, NoRoom

_XMP, _C2PA, _SUB_DIRECTORIES = 700, 0xCD41, 330
_STRIPS = ((273, 279), (324, 325))  # offsets and byte counts, of strips and of tiles
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_ENTRIES = 1_000_000
"""Directories may overlap, so that a small hostile file could otherwise be read for hours."""
_MOST_OVERLAP = 4
"""Pages may share values and tiles; together they are that many times the file's length at most."""
_NOTE = b"leyenda\0"
_NOTE_SIZE = len(_NOTE) + 16


@dataclass(frozen=True)
class _Entry:
    tag: int
    type: int
    count: int
    place: int
    """Where the entry stands in the file."""


@dataclass(frozen=True)
class _Directory:
    offset: int
    entries: list[_Entry]
    end: int
    """Where it ends, the offset of the next one included."""
    next: int


class TiffFile:
    """A TIFF file as its directories.

    Raises:
        Damaged: a directory, a value or a strip of pixels lies outside the file.
    """

    extended: bytes | None = None

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._big = b"+" in data[2:4]
        self._entry_size = 20 if self._big else 12
        self._word = "Q" if self._big else "I"
        self._pointer = 8 if self._big else 4
        self._entries_read = 0
        first = self._number(self._word, self._pointer)
        self._directories = self._chain(first)
        if not self._directories:
            raise Damaged("truncated", "it has no directory")
        self._first = self._directories[0]
        self._pixels = [piece for directory in self._all_directories() for piece in self._strips(directory)]
        self._check_lengths()
        self._xmp = next((entry for entry in self._first.entries if entry.tag == _XMP), None)
        self.packet = self._value(self._xmp) if self._xmp else None
        self.signed = any(entry.tag == _C2PA for entry in self._first.entries)

    def payload(self) -> list[bytes]:
        """Every value of every directory but the packet, and all strips and tiles."""
        values = [
            b"%d %d %d " % (entry.tag, entry.type, entry.count) + self._value(entry)
            for directory in self._all_directories()
            for entry in directory.entries
            if not (entry.tag == _XMP and directory is self._first)
        ]
        return values + [self.data[start:end] for start, end in self._pixels]

    def with_packet(self, packet: bytes | None) -> bytes:
        """The file with another packet, behind all that was there."""
        if packet is None:
            return self._without_packet() if self._xmp else self.data
        if self._xmp:
            data = bytearray(self._data_without_last_packet())
            place = self._xmp.place
        else:
            data = self._with_longer_directory()
            place = self._entry_place(self._data_end(), _XMP)
        data += bytes(len(data) % 2)
        self._check_size(len(data) + len(packet))
        self._put_entry(data, place, len(packet), len(data))
        return bytes(data + packet)

    # Reading

    def _number(self, kind: str, place: int) -> int:
        try:
            (number,) = struct.unpack_from(self._order + kind, self.data, place)
        except (struct.error, OverflowError):
            raise Damaged("truncated", f"a number at byte {place:,} is behind its end") from None
        return int(number)

    def _chain(self, offset: int) -> list[_Directory]:
        found: dict[int, _Directory] = {}
        while offset and offset not in found:
            found[offset] = self._directory(offset)
            offset = found[offset].next
        return list(found.values())

    def _directory(self, offset: int) -> _Directory:
        count = self._number("Q" if self._big else "H", offset)
        start = offset + (8 if self._big else 2)
        end = start + count * self._entry_size
        following = self._number(self._word, end)  # raises when the directory is longer than the file
        self._entries_read += count + 1
        if self._entries_read > _MOST_ENTRIES:
            raise Damaged("unreadable", f"it has more than {_MOST_ENTRIES:,} entries")
        entries = []
        for place in range(start, end, self._entry_size):
            tag, kind = self._number("H", place), self._number("H", place + 2)
            entries.append(_Entry(tag, kind, self._number(self._word, place + 4), place))
        return _Directory(offset, entries, end + self._pointer, following)

    def _all_directories(self) -> list[_Directory]:
        """Those of the pages, and below each page those of its smaller or raw versions."""
        found: dict[int, _Directory] = {}
        waiting = deque(self._directories)
        while waiting:
            directory = waiting.popleft()
            if directory.offset in found:
                continue
            found[directory.offset] = directory
            for entry in directory.entries:
                if entry.tag == _SUB_DIRECTORIES:
                    for offset in self._numbers(entry):
                        waiting += self._chain(offset)
        return list(found.values())

    def _place_of(self, entry: _Entry) -> tuple[int, int]:
        """Where a value stands: begin and end."""
        size = _SIZES.get(entry.type, 1) * entry.count
        place = entry.place + 4 + self._pointer
        start = place if size <= self._pointer else self._number(self._word, place)
        return start, start + size

    def _value(self, entry: _Entry) -> bytes:
        start, end = self._place_of(entry)
        if end > len(self.data):
            raise Damaged("truncated", f"the value of tag {entry.tag} is behind its end")
        return self.data[start:end]

    def _numbers(self, entry: _Entry) -> tuple[int, ...]:
        kind = _NUMBERS.get(entry.type)
        if kind is None:
            raise Damaged("unreadable", f"tag {entry.tag} is not a list of numbers")
        return struct.unpack(f"{self._order}{entry.count}{kind}", self._value(entry))

    def _strips(self, directory: _Directory) -> list[tuple[int, int]]:
        entries = {entry.tag: entry for entry in directory.entries}
        found = []
        for offsets, sizes in _STRIPS:
            if offsets in entries and sizes in entries:
                pairs = zip(self._numbers(entries[offsets]), self._numbers(entries[sizes]), strict=False)
                found += [(start, start + size) for start, size in pairs]
        if any(end > len(self.data) for _, end in found):
            raise Damaged("truncated", "pixels are behind its end")
        return found

    def _check_lengths(self) -> None:
        """Refuse values and strips that overlap so much that together they would fill the memory."""
        entries = [entry for directory in self._all_directories() for entry in directory.entries]
        pieces = [*map(self._place_of, entries), *self._pixels]
        if sum(end - start for start, end in pieces) > _MOST_OVERLAP * len(self.data):
            raise Damaged("unreadable", "its values and pixels are longer than the file")

    # Writing

    def _data_without_last_packet(self) -> bytes:
        assert self._xmp is not None, "asked only where there is a packet"
        start, end = self._place_of(self._xmp)
        inside = start < self._xmp.place + self._entry_size and end > self._xmp.place
        return self.data if inside or end < len(self.data) else self.data[:start]

    def _data_end(self) -> int:
        """Where a new directory begins: behind the file, a padding byte and the note."""
        return len(self.data) + len(self.data) % 2 + _NOTE_SIZE

    def _entry_place(self, directory: int, tag: int) -> int:
        before = sum(entry.tag < tag for entry in self._first.entries)
        return directory + (8 if self._big else 2) + before * self._entry_size

    def _with_longer_directory(self) -> bytearray:
        data = bytearray(self.data) + bytes(len(self.data) % 2)
        data += _NOTE + struct.pack(self._order + "QQ", self._first.offset, len(self.data))
        offset = len(data)
        self._check_size(offset)
        body_start = self._body(self._first)[0]
        cut = self._entry_place(self._first.offset, _XMP)
        count = len(self._first.entries) + 1
        data += struct.pack(self._order + ("Q" if self._big else "H"), count)
        data += self.data[body_start:cut] + bytes(self._entry_size) + self.data[cut : self._first.end]
        struct.pack_into(self._order + self._word, data, self._pointer, offset)
        return data

    def _body(self, directory: _Directory) -> tuple[int, int]:
        return directory.offset + (8 if self._big else 2), directory.end

    def _put_entry(self, data: bytearray, place: int, count: int, offset: int) -> None:
        struct.pack_into(f"{self._order}HH{self._word}{self._word}", data, place, _XMP, 1, count, offset)

    def _check_size(self, size: int) -> None:
        if not self._big and size > 0xFFFFFFFF:
            raise NoRoom("a TIFF file holds at most 4 GiB; BigTIFF files hold more")

    def _without_packet(self) -> bytes:
        assert self._xmp is not None, "asked only where there is a packet"
        former = self._former_file()
        if former is not None:
            return former
        data = bytearray(self._data_without_last_packet())
        directory, place = self._first, self._xmp.place
        rest = data[place + self._entry_size : directory.end]
        data[place : directory.end] = rest + bytes(self._entry_size)
        count_kind = "Q" if self._big else "H"
        struct.pack_into(self._order + count_kind, data, directory.offset, len(directory.entries) - 1)
        return bytes(data)

    def _former_file(self) -> bytes | None:
        """The file as it was before the packet was put in, if nothing but the packet was put in since."""
        assert self._xmp is not None, "asked only where there is a packet"
        note = self._first.offset - _NOTE_SIZE
        if note < 0 or self.data[note : note + len(_NOTE)] != _NOTE:
            return None
        offset, size = struct.unpack_from(self._order + "QQ", self.data, note + len(_NOTE))
        packet_start, packet_end = self._place_of(self._xmp)
        ours = packet_start - self._first.end in (0, 1) and packet_end == len(self.data)
        if not ours or note - size not in (0, 1):
            return None
        start, end = self._body(self._first)
        entries = self.data[start : self._xmp.place] + self.data[self._xmp.place + self._entry_size : end]
        former_start = offset + start - self._first.offset
        if self.data[former_start : former_start + len(entries)] != entries or former_start > size:
            return None
        data = bytearray(self.data[:size])
        struct.pack_into(self._order + self._word, data, self._pointer, offset)
        return bytes(data)
