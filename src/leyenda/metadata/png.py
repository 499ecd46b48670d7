"""PNG and APNG: the XMP packet is an `iTXt` chunk (PNG specification, third edition; XMP part 3)."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from leyenda.metadata.damage import Damaged, NoRoom

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
_PICTURE_CHUNKS = (b"IDAT", b"fcTL", b"fdAT")
_MOST_UNPACKED = 1 << 26
_MOST = (1 << 31) - 1


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int


class PngFile:
    """A PNG file as its chunks.

    Raises:
        Damaged: the chunks do not follow each other up to `IEND`, or there are several XMP packets.
    """

    extended: bytes | None = None

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._chunks = _chunks(data)
        packets = [chunk for chunk in self._chunks if self._is_packet(chunk)]
        if len(packets) > 1:
            raise Damaged("metadata", "it holds several XMP packets")
        self._xmp = packets[0] if packets else None
        self.packet = _text(data[self._xmp.start + 8 : self._xmp.end - 4]) if self._xmp else None
        self.signed = any(chunk.kind == b"caBX" for chunk in self._chunks)

    def payload(self) -> list[bytes]:
        """All chunks but the packet's, and what follows the last."""
        pieces = [self.data[chunk.start : chunk.end] for chunk in self._chunks if chunk != self._xmp]
        return [*pieces, self.data[self._chunks[-1].end :]]

    def with_packet(self, packet: bytes | None) -> bytes:
        """The file with another packet, at the place of the former or before the pixels."""
        if self._xmp:
            start, end = self._xmp.start, self._xmp.end
        else:
            start = end = next(chunk.start for chunk in self._chunks if chunk.kind in _PICTURE_CHUNKS)
        return self.data[:start] + (b"" if packet is None else _chunk(packet)) + self.data[end:]

    def _is_packet(self, chunk: _Chunk) -> bool:
        return chunk.kind == b"iTXt" and self.data.startswith(_KEYWORD, chunk.start + 8)


def _chunks(data: bytes) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    position = len(_SIGNATURE)
    while not chunks or chunks[-1].kind != b"IEND":
        if position + 12 > len(data):
            raise Damaged("truncated", "it ends before its last chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        if not kind.isalpha():
            raise Damaged("unreadable", f"no chunk begins at byte {position:,}")
        if position + 12 + length > len(data):
            raise Damaged("truncated", "it ends inside a chunk")
        chunks.append(_Chunk(kind, position, position + 12 + length))
        position += 12 + length
    if not any(chunk.kind == b"IDAT" for chunk in chunks):
        raise Damaged("unreadable", "it holds no pixels")
    return chunks


def _chunk(packet: bytes) -> bytes:
    content = (
        b"iTXt" + _KEYWORD + b"\0\0\0\0" + packet
    )  # not compressed, of no language, keyword not translated
    if len(content) - 4 > _MOST:
        raise NoRoom("a PNG chunk holds at most 2 GiB")
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _text(content: bytes) -> bytes:
    """The text of an `iTXt` chunk, unpacked where a program has compressed it against the XMP specification."""
    compressed, method = content[len(_KEYWORD) : len(_KEYWORD) + 2].ljust(2, b"\0")
    parts = content[len(_KEYWORD) + 2 :].split(b"\0", 2)
    if len(parts) < 3:
        raise Damaged("metadata", "its XMP chunk is incomplete")
    if not compressed:
        return parts[2]
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(parts[2], _MOST_UNPACKED)
    except zlib.error as error:
        raise Damaged("metadata", f"its compressed XMP packet cannot be unpacked ({error})") from None
    if method != 0 or not unpacking.eof:
        raise Damaged("metadata", "its compressed XMP packet cannot be unpacked")
    return text
