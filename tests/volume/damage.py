"""Pictures that cannot be used, in as many ways as we know, and names that files really have."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def encoded(format_: str, seed: int = 0, **options: object) -> bytes:
    """A whole picture."""
    fields = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(fields).resize((64, 48)).save(file, format_, **options)
    return file.getvalue()


def _cut(format_: str) -> bytes:
    whole = encoded(format_)
    return whole[: len(whole) // 2]


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    made = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        made += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return made


def _header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


BYTES: dict[str, bytes] = {
    "no bytes": b"",
    "one byte": b"\xff",
    "zeros": bytes(4096),
    "noise": np.random.default_rng(1).bytes(4096),
    "text": b"a picture of a dog\n",
    "web page": b"<!doctype html><html><body>404 Not Found</body></html>",
    "JSON": b'{"error": "not found"}',
    "ZIP": b"PK\x03\x04" + bytes(100),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
    "video": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(200),
    "Photoshop": b"8BPS\0\x01" + bytes(100),
    "icon": b"\0\0\x01\0\x01\0" + bytes(100),
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
    "JPEG cut in half": _cut("JPEG"),
    "JPEG of a header": encoded("JPEG")[:20],
    "JPEG of an end": b"\xff\xd8\xff\xd9",
    "PNG cut in half": _cut("PNG"),
    "PNG without pixels": _png(_header(8, 8), (b"IEND", b"")),
    "PNG of wrong pixels": _png(_header(8, 8), (b"IDAT", b"no zlib stream"), (b"IEND", b"")),
    "PNG of no size": _png(_header(0, 0), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")),
    "PNG of 3.6 gigapixels": _png(
        _header(60_000, 60_000), (b"IDAT", zlib.compress(bytes(9))), (b"IEND", b"")
    ),
    "GIF cut in half": _cut("GIF"),
    "WebP cut in half": _cut("WEBP"),
    "BMP cut in half": _cut("BMP"),
    "TIFF cut in half": _cut("TIFF"),
    "JPEG 2000 cut in half": _cut("JPEG2000"),
    "AVIF cut in half": _cut("AVIF"),
}
"""Kind of damage -> the file's bytes."""


def _broken_link(path: Path) -> None:
    path.symlink_to("gone.jpg")


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


FILES: dict[str, Callable[[Path], None]] = {
    "broken link": _broken_link,
    "link to itself": _link_to_itself,
    "pipe": lambda path: os.mkfifo(path),
}
"""Kind of damage that is not in the bytes -> what makes such a file."""

KINDS = (*BYTES, *FILES)

NAMES: tuple[bytes, ...] = (
    b"with spaces in it",
    b" begins and ends with one ",
    b"a\nnew line",
    b"two\r\nlines",
    b"a\ttab",
    "🦜🏴‍☠️ emoji".encode(),
    "صورة من اليمين".encode(),
    "\u202etfel ot thgir".encode(),
    "niño con acentos".encode(),
    "e\u0301 in two characters".encode(),
    b"\xff\xfe not UTF-8 \xe9",
    b"'quotes\" and \\ backslashes \\udcf1",
    b"comma, semicolon; $HOME `id` %s {x} *?[a]",
    b"-o",
    b"--help",
    b"https:",
    b"null",
    b"#hash",
    b"dots...",
    "漢字の写真".encode(),
)
"""Names without their endings."""


def named(number: int, ending: str) -> bytes:
    """The name of a file of this number: one of `NAMES`, or one of 255 bytes."""
    if number % (len(NAMES) + 1) == len(NAMES):
        tail = f"{number:06}{ending}".encode()
        return b"x" * (255 - len(tail)) + tail
    return NAMES[number % (len(NAMES) + 1)] + f" {number:06}{ending}".encode()


def make_folder(folder: Path, good: int, broken: int) -> None:
    """Fill a folder, and a folder in it, with pictures; the broken ones lie among the others, of all kinds in turn."""
    places = [folder, folder / "below it, 'too'"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    pictures = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF"}
    for number in range(good):
        ending = list(pictures)[number % len(pictures)]
        path = os.fsencode(places[number % 2]) + b"/" + named(number, ending)
        Path(os.fsdecode(path)).write_bytes(encoded(pictures[ending], number))
    for number in range(broken):
        kind = KINDS[number % len(KINDS)]
        path = Path(os.fsdecode(os.fsencode(places[number % 2]) + b"/" + named(good + number, ".jpeg")))
        if kind in BYTES:
            path.write_bytes(BYTES[kind])
        else:
            FILES[kind](path)
