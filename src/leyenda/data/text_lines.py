"""Text files of a data set: UTF-8 only, and an error that names the line and the byte otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from leyenda.errors import DataError

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


_ODD_BYTE = re.compile("[\udc80-\udcff]")


@contextmanager
def open_text(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """Open a text file, with or without a byte order mark; line ends are left as they are.

    Args:
        path: the file.
        errors: `surrogateescape` lets bytes through that are not UTF-8, for `odd_byte` to find.

    Raises:
        DataError: the file cannot be opened, or (inside the `with` block) a byte is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig", errors=errors, newline="") as file:
            yield file
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def odd_byte(path: Path, number: int, line: str) -> DataError | None:
    """The error for a line that holds a byte which is not UTF-8; None where all are.

    Args:
        path: the file.
        number: of the line.
        line: as `open_text` lets it through.
    """
    if line.isascii() or _ODD_BYTE.search(line) is None:
        return None
    data = line.encode("utf-8", "surrogateescape")
    return _not_utf8_at(path, number, data)


def read_text(path: Path) -> str:
    """The whole text of a file.

    Raises:
        DataError: as `open_text`.
    """
    with open_text(path) as file:
        return file.read()


def not_utf8(path: Path) -> DataError:
    """The error for a file of another encoding, which names the first byte that shows it."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if found := _not_utf8_at(path, number, line):
                return found
    return DataError(f"{path} is not UTF-8.", "Save the file as UTF-8.")


def _not_utf8_at(path: Path, number: int, line: bytes) -> DataError | None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        utf16 = number == 1 and line.startswith(_UTF16_MARKS)
        guess = "it looks like UTF-16" if utf16 else "perhaps it is Latin-1"
        return DataError(
            f"{path}:{number}: byte 0x{line[error.start]:02x} is not UTF-8 ({guess}).",
            "Save the file as UTF-8.",
        )
    return None


def head_of(path: Path, size: int = 65536) -> str:
    """The beginning of a text file, by which its format is recognised; empty when it is no text."""
    with open(path, "rb") as file:
        head = file.read(size)
    return "" if b"\0" in head else head.decode("utf-8-sig", errors="replace")
