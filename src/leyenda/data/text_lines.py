"""Text files of a data set: UTF-8 only, and an error that names the line and the byte otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from leyenda.errors import DataError

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file, with or without a byte order mark; line ends are left as they are.

    Raises:
        DataError: the file cannot be opened, or (inside the `with` block) a byte is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


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
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                utf16 = number == 1 and line.startswith(_UTF16_MARKS)
                guess = "it looks like UTF-16" if utf16 else "perhaps it is Latin-1"
                return DataError(
                    f"{path}:{number}: byte 0x{line[error.start]:02x} is not UTF-8 ({guess}).",
                    "Save the file as UTF-8.",
                )
    return DataError(f"{path} is not UTF-8.", "Save the file as UTF-8.")


def head_of(path: Path, size: int = 65536) -> str:
    """The beginning of a text file, by which its format is recognised; empty when it is no text."""
    with open(path, "rb") as file:
        head = file.read(size)
    return "" if b"\0" in head else head.decode("utf-8-sig", errors="replace")
