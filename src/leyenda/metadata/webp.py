"""WebP: the XMP packet is a chunk of the extended format, announced in `VP8X` (RFC 9649)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from leyenda.metadata.damage import Damaged, NoRoom

_XMP = b"XMP "
_XMP_FLAG = 0x04
_ALPHA_FLAG = 0x10
_MOST = (1 << 32) - 10
_KEY_FRAME_START = b"\x9d\x01\x2a"


class _Chunk(NamedTuple):
    kind: bytes
    content: bytes


class WebPFile:
    """A WebP file as its RIFF chunks.

    Raises:
        Damaged: the chunks do not fill the file, there is no picture, or there are several XMP packets.
    """

    extended: bytes | None = None

    def __init__(self, data: bytes) -> None:
        self.data = data
        end = 8 + int.from_bytes(data[4:8], "little")
        if end > len(data):
            raise Damaged("truncated", f"{end:,} bytes are announced and {len(data):,} are there")
        self._chunks = _chunks(data[:end])
        self._behind = data[end:]
        if not any(chunk.kind in (b"VP8 ", b"VP8L", b"ANMF") for chunk in self._chunks):
            raise Damaged("unreadable", "it holds no picture")
        first = self._chunks[0]
        self._header = bytes(first.content) if first.kind == b"VP8X" else _new_header(first)
        packets = [chunk.content for chunk in self._chunks if chunk.kind == _XMP]
        if len(packets) > 1:
            raise Damaged("metadata", "it holds several XMP packets")
        self.packet = packets[0] if packets else None
        self.signed = any(chunk.kind == b"C2PA" for chunk in self._chunks)

    def payload(self) -> list[bytes]:
        """All chunks but the packet's and the header that announces it; the canvas and flags that decoders see."""
        kept = [chunk.kind + chunk.content for chunk in self._chunks if chunk.kind not in (_XMP, b"VP8X")]
        header = bytearray(self._header)
        header[0] &= ~_XMP_FLAG
        return [bytes(header), *kept, self._behind]

    def with_packet(self, packet: bytes | None) -> bytes:
        """The file with another packet, at the place of the former or at the end."""
        header = bytearray(self._header)
        others = [chunk for chunk in self._chunks if chunk.kind != b"VP8X"]
        if packet is None:
            header[0] &= ~_XMP_FLAG
            chunks = [chunk for chunk in others if chunk.kind != _XMP]
        else:
            header[0] |= _XMP_FLAG
            xmp = _Chunk(_XMP, packet)
            chunks = [xmp if chunk.kind == _XMP else chunk for chunk in others]
            chunks += [] if self.packet is not None else [xmp]
        if packet is not None or not _is_simple(chunks, bytes(header)):
            chunks.insert(0, _Chunk(b"VP8X", bytes(header)))
        return _riff(chunks) + self._behind


def _chunks(data: bytes) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    position = 12
    while position < len(data):
        if position + 8 > len(data):
            raise Damaged("unreadable", "it ends inside a chunk's header")
        kind, size = struct.unpack_from("<4sI", data, position)
        end = position + 8 + size
        if end > len(data):
            raise Damaged("unreadable", f"a chunk at byte {position:,} is longer than the file")
        chunks.append(_Chunk(kind, data[position + 8 : end]))
        position = end + size % 2
    if not chunks or (chunks[0].kind == b"VP8X" and len(chunks[0].content) < 10):
        raise Damaged("unreadable", "it has no header")
    return chunks


def _is_simple(chunks: list[_Chunk], header: bytes) -> bool:
    """Whether the header says nothing that the picture does not say itself."""
    if len(chunks) > 1:
        return False
    try:
        return _new_header(chunks[0]) == header
    except Damaged:
        return False


def _riff(chunks: list[_Chunk]) -> bytes:
    pieces = [b"WEBP"]
    for kind, content in chunks:
        pieces += [kind, struct.pack("<I", len(content)), content, bytes(len(content) % 2)]
    size = sum(len(piece) for piece in pieces)
    if size > _MOST:
        raise NoRoom("a WebP file holds at most 4 GiB")
    return b"RIFF" + struct.pack("<I", size) + b"".join(pieces)


def _new_header(picture: _Chunk) -> bytes:
    """The content of the `VP8X` chunk that a file of the simple format lacks."""
    flags = 0
    if picture.kind == b"VP8 " and picture.content[3:6] == _KEY_FRAME_START and len(picture.content) >= 10:
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", picture.content, 6))
    elif picture.kind == b"VP8L" and picture.content[:1] == b"\x2f" and len(picture.content) >= 5:
        bits = int.from_bytes(picture.content[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        raise Damaged("unreadable", "its first chunk is no picture")
    if not width or not height:
        raise Damaged("unreadable", "it is without width or height")
    return struct.pack("<B3xHBHB", flags, width - 1, 0, height - 1, 0)
