"""WebDataset: tar shards, member by member."""

from __future__ import annotations

import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from leyenda.errors import DataError, LeyendaError
from leyenda.images.names import is_picture
from leyenda.records import ImageSource, PictureBytes
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import BROKEN_SHARD, Item, PictureSource, safe_relative, unusable_item

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
SHARDS = (".tar", *COMPRESSED)

_LOOKED_AT = 32
"""Pictures of which one must have what a prompt takes from its sample."""

_BROKEN = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)

_WITHOUT_END = "it ends without a tar file's end mark, so that pictures may be missing behind the last one"


class _Header(tarfile.TarInfo):
    """The header of a member. One that is damaged or not there is an error, and not, as for `tarfile`, the end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        """The next header of a tar file."""
        try:
            return super().fromtarfile(tar)
        except tarfile.EmptyHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(_WITHOUT_END) from error
        except (tarfile.TruncatedHeaderError, tarfile.InvalidHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"{error}, after {tar.offset:,} bytes") from error


@dataclass(frozen=True, slots=True)
class Shard(Source):
    """One tar file. Of a plain one, pictures are read where they lie; of a compressed one, as they come.

    One that breaks off is itself one more input, behind its pictures, that has the reason in place of a caption.

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
        broken: list[str] = []
        yield from self._pictures(broken)
        for reason in broken:
            yield unusable_item(self.path, BROKEN_SHARD, reason)

    def _pictures(self, broken: list[str]) -> Iterator[Item]:
        """Those that can be read; then, where it breaks off, `broken` has the reason."""
        members = self._members(broken)
        if not self.options.columns:
            yield from (self._item(name, source, {}) for name, source in members if is_picture(name))
            return
        for sample in _samples(members):
            columns = _columns(sample)
            yield from (self._item(name, source, columns) for name, source in sample if is_picture(name))

    def count(self) -> int | None:
        """How many there are; a compressed shard is not unpacked for that."""
        return None if self._compressed else sum(1 for _ in self.items())

    def check(self) -> None:
        """There must be a picture, and what a prompt takes from the samples must be in one of the first."""
        broken: list[str] = []
        first = list(islice(self._pictures(broken), _LOOKED_AT if self.options.columns else 1))
        if not first:
            if broken:
                raise DataError(broken[0])
            raise LeyendaError(f"The shard {self.path!r} holds no picture.", "Check that it is a WebDataset.")
        if self.options.prompt is not None and self.options.columns:
            self.options.prompt.check(dict.fromkeys(name for item in first for name in item.columns))

    def finds_shards_in(self, folder: str) -> bool:
        """Whether it lies in that folder: shards of one folder are captioned together."""
        lies_in = (os.path.realpath(os.path.dirname(self.path)), os.path.dirname(os.path.realpath(self.path)))
        return os.path.realpath(folder) in lies_in

    @property
    def _compressed(self) -> bool:
        return self.path.lower().endswith(COMPRESSED)

    def _item(self, name: str, source: PictureSource, columns: dict[str, Any]) -> Item:
        return Item(f"{self.path}/{name}", source, safe_relative(name), columns)

    def _members(self, broken: list[str]) -> Iterator[tuple[str, PictureSource]]:
        mode: Any = "r|*" if self._compressed else "r:"
        try:
            with tarfile.open(self.path, mode, tarinfo=_Header, errors="surrogateescape") as tar:
                length = os.path.getsize(self.path)
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined]  # or all of them would stay in memory
                    if not member.isfile():
                        continue
                    name = member.name.removeprefix("./")
                    if not self._compressed and member.offset_data + member.size > length:
                        raise tarfile.ReadError(f"it ends within {name!r}")
                    if not self._compressed:
                        yield name, ImageSource(self.path, member.offset_data, member.size)
                    elif (file := tar.extractfile(member)) is not None:
                        yield name, PictureBytes(file.read(), repr(f"{self.path}/{name}"))
        except _BROKEN as error:
            broken.append(f"{self.path} is not a whole tar file: {error}. Copy or download it again.")
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
