"""Captions inside the picture files: XMP description, alt text, extended description, and the mark of a machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from leyenda.errors import ImageError, LeyendaError
from leyenda.images.formats import picture_format
from leyenda.images.names import is_picture
from leyenda.images.opening import read_bytes, read_picture
from leyenda.metadata import (
    Description,
    caption_before_xmp,
    embed_description,
    is_same_picture,
    read_description,
    read_marks,
    restore_description,
)
from leyenda.text_control import TextRules
from leyenda.volume.entry import Entry
from leyenda.volume.existing import OVERWRITE, SKIP, joined
from leyenda.volume.item import Item, PictureSource
from leyenda.volume.outputs.beside import check_length, target_of
from leyenda.volume.outputs.collisions import IN_TWO_FOLDERS
from leyenda.volume.whole_file import make_folder, sync_folder, write_whole

_TEXTS = ("description", "alt_text", "extended_description")
_MARKS = "marks"
"""What an entry calls the properties of leyenda's that a file held, beside the fields of its `Description`."""

_ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WebP": ".webp"}
_HEAD = 4096
"""Bytes that tell a picture's format."""


class Metadata:
    """Captions in the pictures, whose pixels stay as they are.

    Args:
        output: folder for described copies, which mirrors those of the pictures; None describes the pictures in place.
        existing: what is done where a description is.
        model: what the pictures say of who wrote the caption.
        text: what new captions hold to already.
    """

    name = "metadata"

    def __init__(self, output: str | None, existing: str, model: str, text: TextRules | None = None) -> None:
        self._output = output
        self._existing = existing
        self._text = text
        self._model = model
        self.copies = output is not None

    def collision_fix(self, first: Item, second: Item) -> str:
        """There is no place for both."""
        return IN_TWO_FOLDERS

    def settings(self) -> Mapping[str, Any]:
        """Where the described pictures are, says the output."""
        return {}

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
        """The picture, or its copy; one that has no picture's name gets its ending."""
        if self._output is None and item.file is None:
            raise ImageError(
                "no_metadata",
                f"{item.name!r} is no file of its own, so that no description can be put into it.",
                "Have described copies made: --output FOLDER.",
            )
        file = target_of(item, self._output)
        if item.file is None and not is_picture(file):
            file += _ending(item)
        if self._output is not None:
            check_length(file, item, "Rename the picture, or use --to jsonl.")
        return file

    def read(self, file: str, picture: PictureSource | None) -> str | None:
        """The description, or else the alt text, or else the extended description; or a caption from before XMP."""
        data = self._bytes_there(file, picture)
        if data is None:
            return None
        found = read_description(data, name=repr(file))
        texts = [getattr(found, name) for name in _TEXTS] if found is not None else []
        return next((text for text in texts if text), None) or caption_before_xmp(data, name=repr(file))

    def placed(self, entry: Entry, picture: PictureSource) -> Entry:
        """All that the file says now, so that it can be said again; and a trial that is not kept."""
        file = entry.file or ""
        data = self._bytes_there(file, picture)
        assert data is not None
        before = read_description(data, name=repr(file))
        kept: dict[str, Any] = {}
        if before is not None:
            kept = {name: value for name, value in asdict(before).items() if value not in (None, False)}
        if marks := read_marks(data, name=repr(file)):
            kept[_MARKS] = marks
        entry = replace(entry, before=kept or None, said=entry.caption)
        self._described(entry, data)
        return replace(entry, caption=self._texts(entry, data)["description"])

    def write(self, entry: Entry, picture: PictureSource | None) -> None:
        """The same picture with its caption, or as it is where it has one."""
        path = Path(entry.file or "")
        data = self._bytes_there(str(path), picture)
        if data is None:
            raise ImageError("missing", f"There is no file {str(path)!r}.")
        make_folder(path.parent)
        write_whole(path, data if entry.kept else self._described(entry, data))

    def restore(self, entry: Entry) -> None:
        """What the file said before; a copy that was made goes."""
        path = Path(entry.file or "")
        if entry.made:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            return
        before = dict(entry.before or {})
        marks = before.pop(_MARKS, None)
        previous = Description(**before) if before else None
        data = _bytes(str(path))
        write_whole(path, restore_description(data, previous, marks=marks, name=repr(str(path))))

    def _bytes_there(self, file: str, picture: PictureSource | None) -> bytes | None:
        """The file, if it is there, or else the picture that will be copied; None where neither is at hand.

        Raises:
            ImageError: they cannot be read; or the file is there, and no copy of the picture.
        """
        if not os.path.lexists(file):
            return None if picture is None else _bytes(picture)
        data = _bytes(file)
        if not self.copies or picture is None or _is_file(picture, file):
            return data
        if not is_same_picture(data, _bytes(picture), name=repr(file)):
            raise ImageError(
                "name_taken",
                f"{file!r} is there already, and is no copy of {_name(picture)} as it is now.",
                "Move it away, or name another folder: --output FOLDER.",
            )
        return data

    def _texts(self, entry: Entry, data: bytes) -> dict[str, str]:
        said = entry.said or entry.caption or ""
        before = self._texts_before(entry, data)
        return {name: joined(self._existing, text, said, self._text) for name, text in before.items()}

    def _texts_before(self, entry: Entry, data: bytes) -> dict[str, str | None]:
        before = {name: (entry.before or {}).get(name) for name in _TEXTS}
        before["description"] = before["description"] or caption_before_xmp(data)
        return before

    def _described(self, entry: Entry, data: bytes) -> bytes:
        """The picture with its caption; a text that the caption was joined to stays that of its writer."""
        joins = self._existing not in (SKIP, OVERWRITE)
        joined_to = [name for name, text in self._texts_before(entry, data).items() if joins and text]
        description = Description(**self._texts(entry, data), writer=self._model, ai_generated=True)
        return embed_description(data, description, joined_to=joined_to, name=repr(entry.file))


def _ending(item: Item) -> str:
    """What the name of a picture of a format that can be described should end in, told by its first bytes."""
    if item.address is not None:
        return ""
    head, _ = read_bytes(item.source, max_bytes=1 << 40, first=_HEAD)
    return _ENDINGS.get(picture_format(head[:_HEAD]) or "", "")


def _is_file(picture: PictureSource, file: str) -> bool:
    return isinstance(picture, str) and os.path.exists(picture) and os.path.samefile(picture, file)


def _name(picture: PictureSource) -> str:
    return repr(picture) if isinstance(picture, str) else getattr(picture, "name", "the picture")


def _bytes(picture: PictureSource) -> bytes:
    return read_picture(picture).data
