"""A compressed file, unpacked once into the cache, so that what is in it can be read where it lies."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from leyenda.data.cache import cached_file, file_identity
from leyenda.data.progress import steps
from leyenda.errors import DataError

_AT_ONCE = 1 << 20
"""Bytes."""

_WAYS: dict[bytes, tuple[str, Any]] = {
    b"\x1f\x8b": ("gzip", gzip),
    b"BZh": ("bzip2", bz2),
    b"\xfd7zXZ\0": ("xz", lzma),
}
"""The first bytes of a compressed file -> what its format is called, and the module whose `open` reads it."""

_ZSTANDARD = b"\x28\xb5\x2f\xfd"


def unpacked(path: Path) -> Path:
    """The file itself, or its unpacked copy in the cache where its first bytes say that it is compressed.

    Args:
        path: a file, compressed by gzip, bzip2 or xz, or not at all; its name does not matter.

    Raises:
        DataError: it is cut off or damaged, or compressed in a way that Python cannot undo.
        DiskError: the cache cannot be written.
    """
    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith(_ZSTANDARD):
        raise DataError(f"{path} is compressed with Zstandard.", "Unpack it first: unzstd FILE")
    found = next((way for mark, way in _WAYS.items() if head.startswith(mark)), None)
    if found is None:
        return path
    return cached_file(["unpacked", *file_identity(path)], lambda into: _unpack(path, *found, into))


def _unpack(path: Path, kind: str, module: Any, into: BinaryIO) -> None:
    with module.open(path, "rb") as packed, steps(f"Unpacking {path.name} (megabytes)", 0) as step:
        while data := _read(packed, path, kind):
            into.write(data)
            step()


def _read(packed: BinaryIO, path: Path, kind: str) -> bytes:
    try:
        return packed.read(_AT_ONCE)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is not a whole {kind} file.", "Copy or download it again.") from error
