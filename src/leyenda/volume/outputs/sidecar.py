"""A text file beside each picture: `a.txt`, or `a.jpg.txt`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from leyenda.errors import ImageError, LeyendaError
from leyenda.images.formats import picture_format
from leyenda.images.names import is_picture
from leyenda.text_control import TextRules
from leyenda.volume.entry import Entry
from leyenda.volume.existing import joined
from leyenda.volume.item import Item, PictureSource
from leyenda.volume.outputs.beside import check_length, target_of
from leyenda.volume.outputs.collisions import IN_TWO_FOLDERS
from leyenda.volume.whole_file import make_folder, sync_folder, write_whole

STEM, FULL = NAMES = ("stem", "full")


class Sidecar:
    """One text file a picture.

    Args:
        output: folder that mirrors those of the pictures; None is beside them.
        naming: one of `NAMES`.
        existing: what is done where a text is; one of `leyenda.volume.existing.MODES`.
        text: what new captions hold to already.

    Raises:
        LeyendaError: there is no such naming.
    """

    name = "sidecar"
    copies = False

    def __init__(self, output: str | None, naming: str, existing: str, text: TextRules | None = None) -> None:
        if naming not in NAMES:
            raise LeyendaError(
                f"There is no --sidecar-name {naming!r}.", f"It is one of: {', '.join(NAMES)}."
            )
        self._output = output
        self._naming = naming
        self._existing = existing
        self._text = text

    def collision_fix(self, first: Item, second: Item) -> str:
        """Longer names where they differ; otherwise there is no place for both."""
        if self._naming == STEM and target_of(first, self._output) != target_of(second, self._output):
            return "Name the files after the whole picture: --sidecar-name full."
        return IN_TWO_FOLDERS

    def settings(self) -> Mapping[str, Any]:
        """How the files are called."""
        return {"sidecar_name": self._naming}

    def check(self, folders: Sequence[str]) -> None:
        """Text files can be anywhere."""

    def file_of(self, item: Item) -> str:
        """`a.txt` or `a.jpg.txt`; of a name that is no picture's, nothing is cut off."""
        picture = target_of(item, self._output)
        stem = self._naming == STEM and is_picture(picture)
        file = (os.path.splitext(picture)[0] if stem else picture) + ".txt"
        check_length(file, item, "Rename the picture, or use --sidecar-name stem.")
        return file

    def read(self, file: str, picture: PictureSource | None) -> str | None:
        """The text in the file."""
        try:
            with open(file, "rb") as opened:
                data = opened.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ImageError("unreadable", f"{file!r} cannot be read: {error.strerror}.") from error
        if picture_format(data) is not None and b"\0" in data:
            raise ImageError(
                "name_taken",
                f"{file!r} would hold the caption, and is a picture itself.",
                "Rename it, or write elsewhere: --output FOLDER.",
            )
        return data.decode("utf-8", "surrogateescape")

    def placed(self, entry: Entry, picture: PictureSource) -> Entry:
        """The model's words, joined to the text that is there."""
        return replace(entry, caption=joined(self._existing, entry.was, entry.caption or "", self._text))

    def write(self, entry: Entry, picture: PictureSource | None) -> None:
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
