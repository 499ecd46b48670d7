"""A file of image features: rows of one size, each found by its picture. Written once, whole, and then only read.

The rows come first, so that they can be written before their number is known; then the index, which holds each
picture's digest and its row's checksum; then a tail that says how many rows of which shape there are.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import zlib
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.int16]
"""The bits of bfloat16 features `[positions, width]`: numpy has no such type of its own."""

DIGEST_BYTES = 32
ITEM_BYTES = 2
PARTIAL = ".partial"

_MAGIC = b"leyenda features 1\n"
_CHECKSUM = struct.Struct("<I")
_TAIL = struct.Struct(f"<QQQI{len(_MAGIC)}s")
_INDEX_ENTRY = DIGEST_BYTES + _CHECKSUM.size


class TornFile(Exception):
    """The file is not a whole file of features."""


class FeatureWriter:
    """A file of features that gets its name when it is whole; use it in a `with` block, which removes what is not.

    Args:
        path: where it will lie.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._draft = path.with_name(path.name + PARTIAL)
        self._file = open(self._draft, "xb")  # noqa: SIM115 - closed in __exit__
        self._index: dict[bytes, int] = {}
        self._shape = (0, 0)
        self.size = 0

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._index

    def add(self, digest: bytes, row: Row) -> None:
        """Append the features `[positions, width]` of the picture with this digest.

        Raises:
            OSError: the disk is full.
        """
        data = np.ascontiguousarray(row)
        assert len(digest) == DIGEST_BYTES
        assert not self._index or data.shape == self._shape
        self._shape = (data.shape[0], data.shape[1])
        self._index[digest] = zlib.crc32(data.data)
        self._file.write(data.data)
        self.size += data.nbytes

    def finish(self) -> None:
        """Write the index, flush all of it to the disk, and give the file its name.

        Raises:
            OSError: the disk is full.
        """
        index = b"".join(digest + _CHECKSUM.pack(checksum) for digest, checksum in self._index.items())
        self._file.write(index)
        self._file.write(_TAIL.pack(len(self._index), *self._shape, zlib.crc32(index), _MAGIC))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._draft, self.path)

    def __enter__(self) -> FeatureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draft.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what is still to be written may not fit on the disk
            self._file.close()


class FeatureFile:
    """A whole file of features, mapped into memory: rows come from the disk when they are read.

    Args:
        path: the file.

    Raises:
        TornFile: it is not whole, or its index is damaged. Damaged rows are found by `is_sound`.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "rb") as file:
            try:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:  # an empty file cannot be mapped
                raise TornFile(path) from error
        count, self.positions, self.width, checksum, magic = self._tail()
        self.row_bytes = self.positions * self.width * ITEM_BYTES
        start = count * self.row_bytes
        index = self._map[start : len(self._map) - _TAIL.size]
        if magic != _MAGIC or len(index) != count * _INDEX_ENTRY or zlib.crc32(index) != checksum:
            raise TornFile(path)
        items = np.frombuffer(self._map, np.int16, count * self.positions * self.width)
        self._rows = items.reshape(count, self.positions, self.width)
        entries = [index[at : at + _INDEX_ENTRY] for at in range(0, len(index), _INDEX_ENTRY)]
        self.row_of = {entry[:DIGEST_BYTES]: number for number, entry in enumerate(entries)}
        self._checksums = [_CHECKSUM.unpack(entry[DIGEST_BYTES:])[0] for entry in entries]

    def _tail(self) -> tuple[int, int, int, int, bytes]:
        try:
            count, positions, width, checksum, magic = _TAIL.unpack_from(
                self._map, len(self._map) - _TAIL.size
            )
        except struct.error as error:
            raise TornFile(self.path) from error
        return count, positions, width, checksum, magic

    def row(self, number: int) -> Row:
        """The features `[positions, width]` of one row, as a view of the file: copy them before `release`."""
        row: Row = self._rows[number]
        return row

    def is_sound(self, number: int) -> bool:
        """Whether a row's bytes are those that were written."""
        return bool(zlib.crc32(self._rows[number].data) == self._checksums[number])

    def release(self) -> None:
        """Take what was read out of the process's memory; the system keeps it at hand as long as it has room."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def __reduce__(self) -> tuple[type[FeatureFile], tuple[Path]]:
        return FeatureFile, (self.path,)
