"""JPEG: the XMP packet is an `APP1` segment before the picture (XMP part 3, section 1.1.3).

A packet of more than 65,502 bytes does not fit into one segment. Programs then move large properties into "extended
XMP", further segments that the packet names by their digest; those are left as they are.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from leyenda.metadata.damage import Damaged, NoRoom
from leyenda.metadata.multi_picture import PictureIndex

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_APP0, _APP1, _APP2, _APP11 = 0xE0, 0xE1, 0xE2, 0xEB
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD8))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST = 0xFFFF - 2 - len(_XMP)


class _Segment(NamedTuple):
    marker: int
    start: int
    content: int
    end: int


class JpegFile:
    """A JPEG file as the segments before its first scan, and the rest.

    Raises:
        Damaged: the segments do not lead to a scan, the picture has no end, or there are several XMP packets.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._segments, self._scan = _segments(data)
        if data.find(b"\xff\xd9", self._scan) < 0:
            raise Damaged("truncated", "the end of the picture is missing")
        packets = self._starting_with(_APP1, _XMP)
        if len(packets) > 1:
            raise Damaged("metadata", "it holds several XMP packets")
        self._xmp = packets[0] if packets else None
        self.packet = data[self._xmp.content + len(_XMP) : self._xmp.end] if self._xmp else None
        self.extended = self._extended_packet()
        self.signed = any(b"c2pa" in data[s.content : s.end] for s in self._segments if s.marker == _APP11)

    def payload(self) -> list[bytes]:
        """All segments but the packet's, all from the first scan on, and the further pictures as they are found."""
        index = self._picture_index()
        kept = [s for s in self._segments if s != self._xmp and not (index and s.start < index.start < s.end)]
        pieces = [self.data[s.start : s.end] for s in kept]
        return [*pieces, self.data[self._scan :], *(index.pictures() if index else [])]

    def with_packet(self, packet: bytes | None) -> bytes:
        """The file with another packet, at the place of the former or behind the JFIF and Exif segments."""
        start, end = (self._xmp.start, self._xmp.end) if self._xmp else (self._place(),) * 2
        segment = b"" if packet is None else _segment(packet)
        index = self._picture_index()
        data = index.moved(start, len(segment) - (end - start)) if index else self.data
        return data[:start] + segment + data[end:]

    def _starting_with(self, marker: int, header: bytes) -> list[_Segment]:
        return [s for s in self._segments if s.marker == marker and self.data.startswith(header, s.content)]

    def _place(self) -> int:
        position = 2
        for segment in self._segments:
            exif = segment.marker == _APP1 and self.data.startswith(b"Exif\0", segment.content)
            if segment.marker != _APP0 and not exif:
                break
            position = segment.end
        return position

    def _picture_index(self) -> PictureIndex | None:
        found = self._starting_with(_APP2, b"MPF\0")
        return PictureIndex.read(self.data, found[0].content + 4, found[0].end) if found else None

    def _extended_packet(self) -> bytes | None:
        """The extended packet that the packet names; portions of others are ignored, as the specification says."""
        portions: dict[int, bytes] = {}
        for segment in self._starting_with(_APP1, _EXTENDED):
            content = self.data[segment.content + len(_EXTENDED) : segment.end]
            if self.packet and len(content) >= 40 and content[:32] in self.packet:
                portions[int.from_bytes(content[36:40], "big")] = content[40:]
        return b"".join(portions[offset] for offset in sorted(portions)) if portions else None


def _segments(data: bytes) -> tuple[list[_Segment], int]:
    """The segments before the first scan, and where the scan's segment begins."""
    segments = []
    position = 2
    while True:
        marker_at = position
        while data[marker_at : marker_at + 1] == b"\xff" and data[marker_at + 1 : marker_at + 2] == b"\xff":
            marker_at += 1
        if marker_at + 4 > len(data):
            raise Damaged("truncated", "it ends before its pixels")
        filler, marker, length = struct.unpack_from(">BBH", data, marker_at)
        if filler != 0xFF or marker in (0x00, _END_OF_IMAGE):
            raise Damaged("unreadable", f"no segment begins at byte {position:,}")
        if marker == _START_OF_SCAN:
            break
        content, end = marker_at + 4, marker_at + 2 + length
        if marker in _WITHOUT_LENGTH:
            content = end = marker_at + 2
        elif length < 2:
            raise Damaged("unreadable", f"a segment at byte {position:,} says that it is {length} bytes long")
        if end > len(data):
            raise Damaged("truncated", "it ends inside a segment")
        segments.append(_Segment(marker, position, content, end))
        position = end
    if not any(segment.marker in _FRAMES for segment in segments):
        raise Damaged("unreadable", "its pixels come before their size")
    return segments, position


def _segment(packet: bytes) -> bytes:
    if len(packet) > _MOST:
        raise NoRoom(
            f"a JPEG file holds an XMP packet of at most {_MOST:,} bytes, and this one has {len(packet):,}"
        )
    return struct.pack(">BBH", 0xFF, _APP1, 2 + len(_XMP) + len(packet)) + _XMP + packet
