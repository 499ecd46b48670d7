"""Captions inside the picture files: XMP description, alt text, extended description, and the mark of a machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from leyenda.errors import ImageError, LeyendaError
from leyenda.images.opening import read_picture
from leyenda.metadata import Description, embed_description, read_description, restore_description
from leyenda.text_control import TextRules
from leyenda.volume.entry import Entry
from leyenda.volume.existing import joined
from leyenda.volume.item import Item
from leyenda.volume.outputs.beside import target_of
from leyenda.volume.whole_file import make_folder, sync_folder, write_whole

_TEXTS = ("description", "alt_text", "extended_description")


class Metadata:
    """Captions in the pictures, whose pixels stay as they are.

    Args:
        output: folder for described copies, which mirrors those of the pictures; None describes the pictures in place.
        existing: what is done where a description is.
        model: what the pictures say of who wrote the caption.
        text: what new captions hold to already.
    """

    name = "metadata"
    collision_fix = "Caption them in two runs, into two folders."

    def __init__(self, output: str | None, existing: str, model: str, text: TextRules | None = None) -> None:
        self._output = output
        self._existing = existing
        self._text = text
        self._model = model

    def settings(self) -> Mapping[str, Any]:
        """Where the described pictures are."""
        return {"output": os.path.abspath(self._output) if self._output is not None else None}

    def check(self, folders: Sequence[str]) -> None:
        """Copies must not lie where pictures are looked for, or they would be copied, too."""
        for folder in folders:
            above = os.path.realpath(folder)
            if (
                self._output is not None
                and os.path.commonpath([above, os.path.realpath(self._output)]) == above
            ):
                raise LeyendaError(
                    f"The copies in {self._output!r} would be found in {folder!r} as further pictures.",
                    "Name a folder elsewhere: --output FOLDER.",
                )

    def file_of(self, item: Item) -> str:
        """The picture, or its copy."""
        if item.file is None:
            raise ImageError(
                "no_metadata",
                f"{item.name!r} is no file of its own, so that no description can be put into it.",
                "Write --to sidecar or jsonl.",
            )
        return target_of(item, self._output)

    def read(self, file: str, source: str | None) -> str | None:
        """The description, or else the alt text, or else the extended description."""
        found = _described(_file_to_read(file, source))
        texts = [getattr(found, name) for name in _TEXTS] if found is not None else []
        return next((text for text in texts if text), None)

    def placed(self, entry: Entry) -> Entry:
        """All that the file says now, so that it can be said again; and a trial that is not kept."""
        before = _described(_file_to_read(entry.file or "", entry.source))
        kept: dict[str, Any] | None = None
        if before is not None:
            kept = {name: value for name, value in asdict(before).items() if value not in (None, False)}
        entry = replace(entry, before=kept)
        self._written(entry)
        return entry

    def write(self, entry: Entry) -> None:
        """The same picture with its caption."""
        path = Path(entry.file or "")
        data = self._written(entry)
        make_folder(path.parent)
        write_whole(path, data)

    def restore(self, entry: Entry) -> None:
        """What the file said before; a copy that was made goes."""
        path = Path(entry.file or "")
        if entry.made:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            return
        previous = Description(**entry.before) if entry.before else None
        write_whole(path, restore_description(_bytes(str(path)), previous, name=repr(str(path))))

    def _written(self, entry: Entry) -> bytes:
        file = _file_to_read(entry.file or "", entry.source)
        before = entry.before or {}
        said = entry.said or entry.caption or ""
        texts = {name: joined(self._existing, before.get(name), said, self._text) for name in _TEXTS}
        description = Description(**texts, writer=self._model, ai_generated=True)
        return embed_description(_bytes(file), description, name=repr(file))


def _file_to_read(file: str, source: str | None) -> str:
    """The copy, where it is there already; otherwise the picture."""
    return file if source is None or os.path.lexists(file) else source


def _described(file: str) -> Description | None:
    return read_description(_bytes(file), name=repr(file))


def _bytes(file: str) -> bytes:
    return read_picture(file).data
