"""Where the pictures that a table names lie, and how they come into a folder that leyenda writes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from leyenda.errors import DataError, disk_error
from leyenda.records import Example

PICTURE_FOLDERS = (
    "images",
    "Images",
    "image",
    "img",
    "imgs",
    "pictures",
    "photos",
    "Flicker8k_Dataset",
    "Flickr8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
    "train2017",
    "val2017",
    "test2017",
    "train2014",
    "val2014",
    "test2014",
    "train",
    "val",
    "test",
)
"""Folders beside a table in which its pictures may lie, as published data sets have them."""

TABLE_FOLDERS = ("annotations", "Flickr8k_text")
"""Folders of tables beside which, and not in which, the pictures lie."""

NAMES_TRIED = 32
"""Names by which the folder of the pictures is found."""


def picture_root(table: Path, names: Iterable[str], given: Path | None) -> str:
    """The absolute folder that a table's names are relative to.

    Args:
        table: the file that names the pictures.
        names: some of the names, at most `NAMES_TRIED` are read; the folder in which most of them exist is taken.
        given: the folder that the user names; taken as it is.

    Returns:
        The folder of the table itself when nothing is found, so that messages show where a picture was looked for.

    Raises:
        DataError: the folder that the user names does not exist, or all names are addresses.
    """
    tried = [name for name in islice(names, NAMES_TRIED) if name]
    if given is not None:
        if not given.is_dir():
            raise DataError(f"There is no folder {str(given)!r} to look for pictures in.")
        return os.path.abspath(given)
    if tried and all(re.match(r"[a-z]+://", name) for name in tried):
        raise DataError(
            f"{table} names pictures by address ({tried[0][:60]!r}), and leyenda reads pictures from files.",
            "Download them first and name the files in the table.",
        )
    here = os.path.abspath(table.parent)
    places = _places(here)
    found = [sum(os.path.isfile(os.path.join(place, name)) for name in tried) for place in places]
    return places[found.index(max(found))]


def name_below(root: str, name: str) -> str:
    """A picture's name relative to the folder of the pictures, if it lies there: wherever that is, the name stays.

    Args:
        root: absolute folder.
        name: as a table writes it.

    >>> name_below("/data/birds", "/data/birds/a/1.jpg"), name_below("/data/birds", "/data/cats/1.jpg")
    ('a/1.jpg', '/data/cats/1.jpg')
    """
    if not os.path.isabs(name):
        return name
    inside = os.path.relpath(name, root)
    return name if inside.split(os.sep)[0] == os.pardir else inside.replace(os.sep, "/")


def _places(here: str) -> list[str]:
    beside = [here, os.path.dirname(here)] if os.path.basename(here) in TABLE_FOLDERS else [here]
    # `images/train2017/` as well as `train2017/`.
    beside += [os.path.join(folder, "images") for folder in beside]
    return beside + [os.path.join(folder, name) for folder in beside for name in PICTURE_FOLDERS]


class PictureCopier:
    """Puts the pictures of examples into one folder, byte for byte, and never over a file that is there.

    Args:
        folder: the output folder; nothing is written outside it.
        link: make hard links to pictures that are whole files, in place of copies.
        step: called after each picture.
    """

    def __init__(
        self, folder: Path, *, link: bool = False, step: Callable[[], object] = lambda: None
    ) -> None:
        self.folder = folder
        self.link = link
        self._step = step

    def bytes_of(self, example: Example) -> bytes:
        """The picture's encoded bytes.

        Raises:
            DataError: they cannot be read.
        """
        if not example.image.path:
            raise DataError(
                f"{example.origin} names no picture.", "See all such rows with: leyenda data check SOURCE"
            )
        try:
            data = example.image.read()
        except (OSError, ValueError) as error:
            reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
            raise DataError(
                f"The picture {example.id!r} ({example.origin}) cannot be read: {reason}.",
                "See all such pictures with: leyenda data check SOURCE",
            ) from error
        self._step()
        return data

    def put(self, example: Example, *, below: str = "") -> None:
        """Write one picture under its id.

        Args:
            example: whose picture.
            below: folder inside the output folder.

        Raises:
            DataError: the id leads out of the folder, or the picture cannot be read.
        """
        refuse_outside(example.id)
        target = self.folder / below / example.id
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = example.image.path and not example.image.offset and example.image.size is None
        if self.link and whole:
            _link(example, target)
            self._step()
        else:
            write_new(target, self.bytes_of(example))


def refuse_outside(name: str) -> None:
    """Names of pictures are data: none may name a file outside the folder or tar that is written.

    Raises:
        DataError: this one does.
    """
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise DataError(
            f"The picture name {name!r} leads out of the folder that is written.",
            "Name the pictures relative to their folder.",
        )


def _link(example: Example, target: Path) -> None:
    try:
        os.link(os.path.realpath(example.image.path), target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise DataError(
            f"The picture {example.id!r} cannot be linked from {example.image.path}: {error.strerror}.",
            "Leave --link out to copy the pictures.",
        ) from error


def write_new(target: Path, data: bytes | str) -> None:
    """Write a file that must not exist yet; text is UTF-8.

    Raises:
        DataError: it exists.
        DiskError: it cannot be written.
    """
    try:
        with open(target, "xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise disk_error(error, target) from error


def _taken(target: Path) -> DataError:
    return DataError(f"Two pictures would be written to one file, {target.name!r}.", "Rename one of them.")
