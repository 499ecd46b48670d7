"""Lists of paths and addresses, one a line: a file, or what is piped in."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import BinaryIO

from leyenda.errors import LeyendaError
from leyenda.images.formats import picture_format
from leyenda.records import PictureBytes
from leyenda.volume.inputs.files import named_picture
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import Item, is_address

STANDARD_INPUT = "-"

_TEXT_CONTROLS = b"\t\n\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HEAD_LINES = 10
"""Lines by which an encoding is recognised."""

_LOOKED_AT = 1000
"""Lines of which one must be there."""


@dataclass(frozen=True, slots=True)
class PipedPicture(Source):
    """The picture on standard input."""

    data: bytes

    def items(self) -> Iterator[Item]:
        """The picture, named `-`."""
        yield Item(STANDARD_INPUT, PictureBytes(self.data, "The picture on standard input"), "stdin")

    def count(self) -> int:
        """One."""
        return 1

    def check(self) -> None:
        """What it is, is found out when it is opened."""


@dataclass(frozen=True, slots=True)
class NameList(Source):
    """A list of names, one a line.

    Args:
        name: of the list, for messages.
        path: the file; None where the lines are in `spooled`.
        spooled: what was piped in.
    """

    name: str
    path: str | None = None
    spooled: BinaryIO | None = None
    lock: Lock = field(default_factory=Lock)

    @property
    def file(self) -> str | None:
        """The list, unless it was piped in."""
        return self.path

    def items(self) -> Iterator[Item]:
        """The pictures, in the order of the lines; blank lines are passed over. No line is a pattern."""
        for line in self._lines():
            word = os.fsdecode(line).rstrip("\r\n")
            if stripped := word.strip():
                # White space round a name is not meant, unless there is such a file.
                yield named_picture(word if word != stripped and os.path.lexists(word) else stripped)

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.items())

    def check(self) -> None:
        """There must be a line, and some of the first ones must name something that is there."""
        head = b"".join(islice(self._lines(), _HEAD_LINES))
        _refuse_utf16(f"The list {self.name}" if self.path else self.name, head)
        first = list(islice(self.items(), _LOOKED_AT))
        if not first:
            raise LeyendaError(f"{self.name} is empty.", "It must hold names of pictures, one a line.")
        check_that_some_exist([item.name for item in first])

    def _lines(self) -> Iterator[bytes]:
        try:
            if self.spooled is not None:
                position = 0
                while True:  # several readers may be at different places
                    with self.lock:
                        self.spooled.seek(position)
                        lines = self.spooled.readlines(1 << 16)
                    if not lines:
                        return
                    yield from _without_mark(lines, first=position == 0)
                    position += sum(map(len, lines))
            assert self.path is not None
            with open(self.path, "rb") as file:
                for number, line in enumerate(file):
                    yield line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line
        except OSError as error:
            raise LeyendaError(f"The list {self.name} cannot be read: {error.strerror}.") from error


def _without_mark(lines: list[bytes], *, first: bool) -> list[bytes]:
    return [lines[0].removeprefix(_BYTE_ORDER_MARK), *lines[1:]] if first else lines


def piped_in(stream: BinaryIO) -> PipedPicture | NameList:
    """What standard input holds: one picture, or a list.

    Raises:
        LeyendaError: nothing.
    """
    # It is closed when the process ends: the list is gone through more than once.
    spool = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115
    head = b""
    while block := stream.read(1 << 20):
        head = head or block[:4096]
        spool.write(block)
    spool.seek(0)
    if head.startswith(_UTF16_MARKS):
        _refuse_utf16("Standard input", head)
    if not head.strip() and not spool.read().strip():
        raise LeyendaError(
            "Standard input is empty.", "Pipe a picture into it, or names of pictures, one a line."
        )
    if not _is_text(head) or picture_format(head) == "PPM":
        spool.seek(0)
        return PipedPicture(spool.read())
    return NameList("Standard input", spooled=spool)  # type: ignore[arg-type]


def _refuse_utf16(name: str, head: bytes) -> None:
    """Stop at a list of another encoding, whose names would all be missing: in it, nearly every second byte is zero."""
    zeros = max(head[::2].count(0), head[1::2].count(0))
    if head.startswith(_UTF16_MARKS) or zeros * 4 > len(head):
        raise LeyendaError(f"{name} is UTF-16.", "Save it as UTF-8.")


def refuse_list(word: str) -> None:
    """Stop where the only file that is named is no picture, but names others.

    Raises:
        LeyendaError: it does.
    """
    if is_address(word) or not os.path.isfile(word):
        return
    with contextlib.suppress(OSError), open(word, "rb") as file:
        head = file.read(4096)
        if head.startswith(_UTF16_MARKS):
            head = head.decode("utf-16", "replace").encode()
        lines = os.fsdecode(head).removeprefix("\ufeff").split("\n")
        first = next((line.strip() for line in lines if line.strip()), "")
        if _is_text(head) and first and (is_address(first) or os.path.lexists(first)):
            raise LeyendaError(
                f"{word!r} is no picture, but a list of names.", f"Write: --list {shlex.quote(word)}"
            )


def _is_text(data: bytes) -> bool:
    """Every encoded picture (but for plain PPM) has control characters soon; a list of names has none."""
    return not any(byte < 32 and byte not in _TEXT_CONTROLS for byte in data[:4096])


def check_that_some_exist(names: list[str], what: str = "file") -> None:
    """Say at once that nothing is there, before a model is loaded for it.

    Args:
        names: of files.
        what: they are.

    Raises:
        LeyendaError: none of the files is there, and none is an address.
    """
    if any(is_address(name) or os.path.lexists(name) for name in names):
        return
    others = " (nor is any of the others there)" if len(names) > 1 else ""
    fix = "Check the name and the folder."
    if "://" in names[0]:
        fix = "Addresses must begin with http:// or https://; download the picture and name its file."
    raise LeyendaError(f"There is no {what} {names[0]!r}{others}.", fix)
