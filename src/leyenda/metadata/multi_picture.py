"""Several pictures in one JPEG file: the index that says where they are (CIPA DC-007, "MPF").

Phones keep previews, depth maps and gain maps like this. The index counts from its own place in the file, so it has to
be corrected when something before a picture grows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_ENTRIES_TAG = 0xB002
_ENTRY = 16


@dataclass(frozen=True)
class PictureIndex:
    """A readable index.

    Args:
        data: the file.
        start: where the index begins; offsets in it count from here.
        order: `<` or `>`, how numbers are written.
        entries: where its entries begin.
        count: number of pictures.
    """

    data: bytes
    start: int
    order: str
    entries: int
    count: int

    @classmethod
    def read(cls, data: bytes, start: int, end: int) -> PictureIndex | None:
        """The index in `data[start:end]`; None when it cannot be read: then no program can follow it."""
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[start : start + 4])
        if order is None:
            return None
        try:
            (first,) = struct.unpack_from(order + "I", data, start + 4)
            (fields,) = struct.unpack_from(order + "H", data, start + first)
            for number in range(fields):
                tag, _, size, offset = struct.unpack_from(
                    order + "HHII", data, start + first + 2 + 12 * number
                )
                if tag == _ENTRIES_TAG and start + offset + size <= end:
                    return cls(data, start, order, start + offset, size // _ENTRY)
        except struct.error:
            pass
        return None

    def pictures(self) -> list[bytes]:
        """The bytes of all pictures but the first, whose place is the file's beginning."""
        return [
            self.data[self.start + offset : self.start + offset + size]
            for _, size, offset in self._listed()
            if offset
        ]

    def moved(self, position: int, growth: int) -> bytes:
        """The file with an index that is right once `growth` bytes were put in at `position`."""
        data = bytearray(self.data)
        for place, size, offset in self._listed():
            if not offset:
                size += growth  # the first picture, which holds the packet
            elif position >= self.start:
                offset += growth
            struct.pack_into(self.order + "II", data, place + 4, size, offset)
        return bytes(data)

    def _listed(self) -> list[tuple[int, int, int]]:
        places = [self.entries + _ENTRY * number for number in range(self.count)]
        return [(place, *struct.unpack_from(self.order + "II", self.data, place + 4)) for place in places]
