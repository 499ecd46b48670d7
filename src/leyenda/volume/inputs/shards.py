"""WebDataset: tar shards, member by member."""

from __future__ import annotations

import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leyenda.errors import DataError, LeyendaError
from leyenda.images.names import is_picture
from leyenda.records import ImageSource, PictureBytes
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import Item, PictureSource, safe_relative

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
SHARDS = (".tar", *COMPRESSED)

_BROKEN = (tarfile.TarError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Shard(Source):
    """One tar file. Of a plain one, pictures are read where they lie; of a compressed one, as they come.

    Args:
        path: the file.
        options: the columns that are wanted of the samples' `.json` and `.txt`.
    """

    path: str
    options: InputOptions

    @property
    def file(self) -> str:
        """The shard."""
        return self.path

    columns: None = None

    def items(self) -> Iterator[Item]:
        """The pictures, in the order of the tar file; each is called `SHARD/MEMBER`."""
        if not self.options.columns:
            yield from (self._item(name, source, {}) for name, source in self._members() if is_picture(name))
            return
        for sample in _samples(self._members()):
            columns = _columns(sample)
            yield from (self._item(name, source, columns) for name, source in sample if is_picture(name))

    def count(self) -> int | None:
        """How many there are; a compressed shard is not unpacked for that."""
        return None if self._compressed else sum(1 for _ in self.items())

    def check(self) -> None:
        """There must be a picture."""
        if next(self.items(), None) is None:
            raise LeyendaError(f"The shard {self.path!r} holds no picture.", "Check that it is a WebDataset.")

    def finds_shards_in(self, folder: str) -> bool:
        """Whether it lies in that folder: shards of one folder are captioned together."""
        return os.path.realpath(os.path.dirname(self.path)) == os.path.realpath(folder)

    @property
    def _compressed(self) -> bool:
        return self.path.lower().endswith(COMPRESSED)

    def _item(self, name: str, source: PictureSource, columns: dict[str, Any]) -> Item:
        return Item(f"{self.path}/{name}", source, safe_relative(name), columns)

    def _members(self) -> Iterator[tuple[str, PictureSource]]:
        try:
            with tarfile.open(
                self.path, "r|*" if self._compressed else "r:", errors="surrogateescape"
            ) as tar:
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined]  # or all of them would stay in memory
                    if not member.isfile():
                        continue
                    name = member.name.removeprefix("./")
                    if not self._compressed:
                        yield name, ImageSource(self.path, member.offset_data, member.size)
                    elif (file := tar.extractfile(member)) is not None:
                        yield name, PictureBytes(file.read(), repr(f"{self.path}/{name}"))
        except _BROKEN as error:
            raise DataError(
                f"{self.path} is not a whole tar file: {error}.", "Copy or download it again."
            ) from error
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror or error}.") from error


def _samples(members: Iterator[tuple[str, PictureSource]]) -> Iterator[list[tuple[str, PictureSource]]]:
    """Members that follow each other and have the same name up to the first dot."""
    sample: list[tuple[str, PictureSource]] = []
    for name, source in members:
        if sample and _key(sample[0][0]) != _key(name):
            yield sample
            sample = []
        sample.append((name, source))
    if sample:
        yield sample


def _key(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.split('.', 1)[0]}"


def _columns(sample: list[tuple[str, PictureSource]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, source in sample:
        ending = os.path.splitext(name)[1].lower()
        if ending not in (".json", ".txt"):
            continue
        data = source.read() if isinstance(source, ImageSource) else source.data  # type: ignore[union-attr]
        text = data.decode("utf-8", "replace")
        if ending == ".txt":
            columns.setdefault("txt", text.strip())
            continue
        try:
            value = json.loads(text)
        except ValueError:
            continue
        columns |= value if isinstance(value, dict) else {}
    return columns
