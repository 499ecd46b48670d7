"""WebDataset: tar shards of pictures with their captions, each with a checksum, and an index of all inputs.

A shard grows under a temporary name. What a group adds to it is on the disk before the journal says so, and the journal
says how long the shard is: what a stopped run wrote beyond that is cut off again.

Where shards are replaced, the new ones keep their temporary names until all is done, and the old ones stay. Only what
leyenda wrote here is replaced, as the index or a journal tells; a list of that outlives the journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from leyenda.data.embedded import ending_of
from leyenda.errors import ImageError, LeyendaError, disk_error
from leyenda.images import DEFAULT_MAX_PIXELS
from leyenda.records import Skipped
from leyenda.volume.engine import Outcome
from leyenda.volume.entry import Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.journal import Group, Journal
from leyenda.volume.json_line import json_line
from leyenda.volume.outputs.file_formats import FileFormat
from leyenda.volume.outputs.jsonl import JSONL
from leyenda.volume.outputs.one_file import OneFile
from leyenda.volume.reading import read_item
from leyenda.volume.whole_file import make_folder, sync_folder, write_whole

SHARD_SIZE = 1000
INDEX_NAME = "index.jsonl"

_REPLACED = ".shards-to-replace"
"""The list of the shards that a run which begins anew takes away at its end."""

_SHARD = re.compile(r"shard-(\d{6,})\.tar")
_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(slots=True)
class _Position:
    """Where the next sample goes.

    Args:
        shard: number of the shard, from 0.
        samples: that are in it.
        size: its bytes.
    """

    shard: int
    samples: int = 0
    size: int = 0


class WebDataset:
    """A folder of shards.

    Args:
        folder: the folder; it is made.
        shard_size: samples of a shard.
        overwrite: begin anew, and at the end take away the shards that were there.
        review: where captions of too little confidence go; None where all are written.
    """

    keeps_journal = False

    def __init__(
        self, folder: Path, shard_size: int, *, overwrite: bool = False, review: Path | None = None
    ) -> None:
        self.folder = folder.expanduser()
        self.review = review
        self._shard_size = shard_size
        self._overwrite = overwrite
        self._index = OneFile(
            self.folder / INDEX_NAME, INDEX, overwrite=overwrite, review=review, history=False
        )
        self.journal_path = self._index.journal_path
        self._at = _Position(0)
        self._own: set[str] = set()

    def settings(self) -> Mapping[str, Any]:
        """How many samples a shard has."""
        return {"to": "webdataset", "shard_size": self._shard_size}

    def check(self, inputs: Inputs) -> None:
        """Make the folder, and read the index that is there."""
        if inputs.finds_shards_in(str(self.folder)):
            raise LeyendaError(
                f"New shards in {str(self.folder)!r} would be found among the ones that are captioned.",
                "Name a folder elsewhere: --output FOLDER.",
            )
        make_folder(self.folder)
        self._index.check(inputs)
        if self._overwrite:
            self._list_replaced()

    def _list_replaced(self) -> None:
        """Note which shards are leyenda's own, before the journal that says so is begun anew."""
        listed = self.folder / _REPLACED
        self._own = _shards_named_in(self.folder / INDEX_NAME) | _shards_named_in(self.journal_path)
        if self.journal_path.exists() and listed.exists():
            self._own |= set(listed.read_text().split())
        self._refuse_foreign()
        listed.unlink(missing_ok=True)
        if self._own:
            write_whole(listed, "".join(f"{name}\n" for name in sorted(self._own)).encode())

    def _refuse_foreign(self) -> None:
        for name in self._shards():
            if name not in self._own:
                raise LeyendaError(
                    f"{str(self.folder / name)!r} is in the way: {INDEX_NAME} does not name it, so it is not replaced.",
                    "Move it away, or name another folder: --output FOLDER.",
                )

    def recover(self, journal: Journal) -> None:
        """Cut off what no group holds, and give shards that are full their names."""
        first = 0 if self._overwrite else max((_number(name) + 1 for name in self._shards()), default=0)
        self._at = _Position(first)
        if journal.run.last is not None:
            self._at = _Position(**journal.run.last.state["next"])
            self._reopen_last()
        for number, path in self._growing():
            if number > self._at.shard or (number == self._at.shard and not self._at.size):
                path.unlink()
            elif number == self._at.shard:
                os.truncate(path, self._at.size)
            elif not self._overwrite:
                self._name(number)

    def _reopen_last(self) -> None:
        """A run that was killed at its very end may have given the last shard its name before the index was whole."""
        path, partial = self.folder / shard_name(self._at.shard), self._partial(self._at.shard)
        if self._at.size and not partial.exists():
            os.replace(path, partial)

    def earlier(self, item: Item) -> Entry | None:
        """What the index says about an input."""
        return self._index.earlier(item)

    def forget_earlier(self, name: str) -> None:
        """Pass over what the index says about an input of that name."""
        self._index.forget_earlier(name)

    def place(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Entry], Mapping[str, Any]]:
        """Write the samples of a group; the shards are on the disk when this returns."""
        position = replace(self._at)
        placed = []
        try:
            for number, entry in enumerate(entries):
                if entry.kept or entry.error is not None:
                    placed.append(entry)
                else:
                    placed.append(self._added(entry, outcomes[number], position))
            self._sync(position.shard)
        except OSError as error:
            raise disk_error(error, self.folder) from error
        return placed, {"next": {name: getattr(position, name) for name in ("shard", "samples", "size")}}

    def _added(self, entry: Entry, outcome: Outcome, position: _Position) -> Entry:
        try:
            data = outcome.data or read_item(outcome.task.item, DEFAULT_MAX_PIXELS)[0].data
        except ImageError as error:  # it was there a moment ago
            return Entry(entry.image, error=Skipped(error.code, str(error)), digest=entry.digest)
        key = f"{position.shard:06}-{position.samples:06}"
        caption = entry.caption or ""
        members = {
            ending_of(data) or ".img": data,
            ".json": json_line(entry.public()).encode(),
            ".txt": caption.encode("utf-8", "backslashreplace"),
        }
        blocks = b"".join(_member(key + ending, content) for ending, content in members.items())
        entry = replace(entry, file=f"{shard_name(position.shard)}/{key}")
        path = self._partial(position.shard)
        with open(path, "r+b" if position.size else "wb") as file:
            file.seek(position.size)
            file.truncate()
            file.write(blocks)
        position.size += len(blocks)
        position.samples += 1
        if position.samples == self._shard_size:
            self._end(position)
            position.shard, position.samples, position.size = position.shard + 1, 0, 0
        return entry

    def apply(self, group: Group) -> None:
        """Give shards that are full their names, unless others are there until the end."""
        next_ = _Position(**group.state["next"])
        if not self._overwrite:
            self._name_all(self._at.shard, next_.shard)
        self._at = next_

    def leftovers(self) -> Iterator[Sequence[Entry]]:
        """Samples of inputs that were not named this time: they stay."""
        return self._index.leftovers()

    def finish(self, journal: Journal) -> None:
        """End the last shard, put the new ones in the place of old ones, and write the index."""
        whole = self._at.shard
        if self._at.samples:
            whole += 1
            try:
                self._end(self._at)
            except OSError as error:
                raise disk_error(error, self.folder) from error
        if self._overwrite:
            self._own |= _shards_named_in(journal.path)
            self._refuse_foreign()
            self._name_all(0, whole)
            self._remove_old(whole)
        else:
            self._name_all(self._at.shard, whole)
        self._index.finish(journal)
        (self.folder / _REPLACED).unlink(missing_ok=True)

    def _remove_old(self, whole: int) -> None:
        """Take away the shards that no new one has taken the place of."""
        for name in self._shards():
            if _number(name) >= whole:
                (self.folder / name).unlink()
                (self.folder / f"{name}.sha256").unlink(missing_ok=True)
        sync_folder(self.folder)

    def nothing_new(self, journal: Journal) -> None:
        """Leave everything as it is."""
        self._index.nothing_new(journal)
        (self.folder / _REPLACED).unlink(missing_ok=True)

    def summary(self) -> str:
        """The folder's name."""
        return str(self.folder)

    def _end(self, position: _Position) -> None:
        """Write the end of a tar file, padded as `tar` does."""
        with open(self._partial(position.shard), "r+b") as file:
            file.seek(position.size)
            file.truncate()
            file.write(_END)
            file.write(bytes(-file.tell() % tarfile.RECORDSIZE))
        self._sync(position.shard)

    def _sync(self, number: int) -> None:
        path = self._partial(number)
        if path.exists():
            with open(path, "rb") as file:
                os.fsync(file.fileno())

    def _name_all(self, first: int, end: int) -> None:
        for number in range(first, end):
            self._name(number)

    def _name(self, number: int) -> None:
        """Write the checksum of a whole shard, then give it its name."""
        path, partial = self.folder / shard_name(number), self._partial(number)
        if not partial.exists():
            return
        with open(partial, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        write_whole(path.with_name(f"{path.name}.sha256"), f"{digest}  {path.name}\n".encode())
        os.replace(partial, path)
        sync_folder(self.folder)

    def _partial(self, number: int) -> Path:
        return self.folder / f".{shard_name(number)}.partial"

    def _shards(self) -> list[str]:
        return sorted(name for name in os.listdir(self.folder) if _SHARD.fullmatch(name))

    def _growing(self) -> list[tuple[int, Path]]:
        names = sorted(os.listdir(self.folder))
        found = [(re.fullmatch(r"\." + _SHARD.pattern + r"\.partial", name), name) for name in names]
        return [(int(match[1]), self.folder / name) for match, name in found if match]


def _shards_named_in(path: Path) -> set[str]:
    """The shards that lines of an index or of a journal name; of another file, none."""
    names: set[str] = set()
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        for line in file:
            try:
                value = json.loads(line)
            except ValueError:  # the torn end of a journal
                continue
            where = value.get("file") if isinstance(value, dict) else None
            if isinstance(where, str) and _SHARD.fullmatch(shard := where.partition("/")[0]):
                names.add(shard)
    return names


def _number(name: str) -> int:
    return int(name.removeprefix("shard-").removesuffix(".tar"))


def shard_name(number: int) -> str:
    """What a shard is called."""
    return f"shard-{number:06}.tar"


def _member(name: str, data: bytes) -> bytes:
    """A file in a tar file, the same bytes at each attempt."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    padding = bytes(-len(data) % tarfile.BLOCKSIZE)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + padding


def _write_index(entries: Iterator[Entry], file: BinaryIO) -> None:
    for entry in entries:
        line = entry.public() | ({"file": entry.file} if entry.file else {})
        file.write((json_line(line) + "\n").encode())


INDEX = FileFormat("webdataset", (), _write_index, JSONL.read, json_lines=True)
