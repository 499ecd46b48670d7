"""A text file beside each picture: `a.txt`, or `a.jpg.txt`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leyenda.errors import ImageError, LeyendaError
from leyenda.volume.entry import Entry
from leyenda.volume.item import Item
from leyenda.volume.outputs.beside import target_of
from leyenda.volume.whole_file import make_folder, sync_folder, write_whole

STEM, FULL = NAMES = ("stem", "full")

_LONGEST_NAME = 255
"""Bytes that a file's name may have, on nearly every file system."""


class Sidecar:
    """One text file a picture.

    Args:
        output: folder that mirrors those of the pictures; None is beside them.
        naming: one of `NAMES`.

    Raises:
        LeyendaError: there is no such naming.
    """

    name = "sidecar"

    def __init__(self, output: str | None, naming: str) -> None:
        if naming not in NAMES:
            raise LeyendaError(
                f"There is no --sidecar-name {naming!r}.", f"It is one of: {', '.join(NAMES)}."
            )
        self._output = output
        self._naming = naming
        other = "Name the files after the whole picture: --sidecar-name full."
        self.collision_fix = other if naming == STEM else "Caption them in two runs, into two folders."

    def settings(self) -> Mapping[str, Any]:
        """Where the files are."""
        return {
            "sidecar_name": self._naming,
            "output": os.path.abspath(self._output) if self._output is not None else None,
        }

    def check(self, folders: Sequence[str]) -> None:
        """Text files can be anywhere."""

    def file_of(self, item: Item) -> str:
        """`a.txt` or `a.jpg.txt`."""
        picture = target_of(item, self._output)
        file = (os.path.splitext(picture)[0] if self._naming == STEM else picture) + ".txt"
        name = os.fsencode(os.path.basename(file))
        if len(name) > _LONGEST_NAME:
            raise ImageError(
                "name_too_long",
                f"{item.name!r}: the name of its text file would have {len(name)} bytes, more than {_LONGEST_NAME}.",
                "Rename the picture, or use --sidecar-name stem.",
            )
        return file

    def read(self, file: str, source: str | None) -> str | None:
        """The text in the file."""
        try:
            with open(file, "rb") as opened:
                return opened.read().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ImageError("unreadable", f"{file!r} cannot be read: {error.strerror}.") from error

    def placed(self, entry: Entry) -> Entry:
        """Any text can be written."""
        return entry

    def write(self, entry: Entry) -> None:
        """The caption and a line's end."""
        path = Path(entry.file or "")
        if self._output is not None:
            make_folder(path.parent)
        write_whole(path, f"{entry.caption}\n".encode("utf-8", "surrogateescape"))

    def restore(self, entry: Entry) -> None:
        """The text that was there, or no file."""
        path = Path(entry.file or "")
        if entry.was is not None:
            write_whole(path, entry.was.encode("utf-8", "surrogateescape"))
            return
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
