"""Pictures that lie compressed or only on the Hub are written once into one file of the user's cache.

An entry of pictures is a folder with `pictures.bin` (their bytes, one after the other) and `index.arrow` (the rows that
refer to it). It is made under a temporary name and renamed when it is whole; so is a file that was unpacked. The folder
may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from leyenda.data.gather import SCHEMA, Row, collect
from leyenda.data.progress import steps
from leyenda.errors import disk_error

LAYOUT = 1
"""Raise it when entries change, so that old ones are not read."""


_instead: ContextVar[Path | None] = ContextVar("cache folder instead of the user's", default=None)


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Use another folder as the cache inside the `with` block, and remove it afterwards."""
    before = _instead.set(folder)
    try:
        yield
    finally:
        _instead.reset(before)
        shutil.rmtree(folder, ignore_errors=True)


def cache_folder() -> Path:
    """Where leyenda keeps what it can make again: `$LEYENDA_CACHE`, `$XDG_CACHE_HOME/leyenda` or `~/.cache/leyenda`."""
    instead = _instead.get()
    if instead is not None:
        return instead
    own = os.environ.get("LEYENDA_CACHE")
    if own:
        return Path(own).absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return Path(shared).absolute() / "leyenda" if shared else Path.home() / ".cache" / "leyenda"


def file_identity(path: Path) -> list[object]:
    """What changes when a file is replaced or written to: real path, size, time of change, inode."""
    real = path.resolve()
    status = real.stat()
    return [str(real), status.st_size, status.st_mtime_ns, status.st_ino]


class Spool:
    """The file of pictures of an entry that is being made.

    Args:
        file: open for writing.
        path: where the file will lie when the entry is whole.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._offset_of: dict[bytes, int] = {}
        self.path = str(path)
        self.size = 0

    def add(self, picture: memoryview) -> int:
        """Store a picture, unless the same bytes are stored already, and return its first byte's place."""
        digest = hashlib.sha256(picture).digest()
        if digest not in self._offset_of:
            self._offset_of[digest] = self.size
            self._file.write(picture)
            self.size += len(picture)
        return self._offset_of[digest]


def cached_rows(identity: object, make_rows: Callable[[Spool], Iterable[Row]]) -> pa.Table:
    """The rows of a source whose pictures are spooled; made on the first call, then read from the cache.

    Args:
        identity: everything that decides the rows, as JSON values; another identity is another entry.
        make_rows: reads the source; gives each picture to the spool.

    Returns:
        Table as of `leyenda.data.gather.collect`.

    Raises:
        DiskError: the cache cannot be written.
    """
    key = json.dumps([LAYOUT, identity])
    entry = cache_folder() / "pictures" / hashlib.sha256(key.encode()).hexdigest()[:32]
    rows = _whole_entry(entry, key)
    if rows is not None:
        return rows
    try:
        return _make_entry(entry, key, make_rows)
    except OSError as error:
        raise disk_error(error, entry) from error


def cached_file(identity: object, make: Callable[[BinaryIO], object]) -> Path:
    """A file that can be made again; made on the first call, then taken from the cache.

    Args:
        identity: everything that decides its bytes, as JSON values; another identity is another file.
        make: writes it.

    Raises:
        DiskError: the cache cannot be written.
    """
    key = json.dumps([LAYOUT, identity])
    entry = cache_folder() / "files" / hashlib.sha256(key.encode()).hexdigest()[:32]
    if entry.is_file():
        return entry  # it got its name when it was whole
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f"{entry.name}.", suffix=".partial", dir=entry.parent)
        try:
            with open(descriptor, "wb") as file:
                make(file)
            os.replace(name, entry)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, entry) from error
    return entry


def _whole_entry(entry: Path, key: str) -> pa.Table | None:
    """The rows of an entry, or None when it is absent, torn, or was made for another folder or source."""
    try:
        with pa.OSFile(str(entry / "index.arrow")) as file:
            rows = pa.ipc.open_file(file).read_all()
        size = (entry / "pictures.bin").stat().st_size
    except (OSError, pa.ArrowInvalid):
        return None
    said = rows.schema.metadata or {}
    whole = said.get(b"size") == str(size).encode()
    if not whole or said.get(b"key") != key.encode() or said.get(b"entry") != str(entry).encode():
        return None
    return rows.replace_schema_metadata(None)


def _make_entry(entry: Path, key: str, make_rows: Callable[[Spool], Iterable[Row]]) -> pa.Table:
    entry.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f"{entry.name}.", suffix=".partial", dir=entry.parent))
    try:
        with open(making / "pictures.bin", "wb") as file:
            spool = Spool(file, entry / "pictures.bin")
            rows = collect(_counted(make_rows(spool)))
        said = {b"size": str(spool.size).encode(), b"key": key.encode(), b"entry": str(entry).encode()}
        schema = SCHEMA.with_metadata(said)
        with pa.OSFile(str(making / "index.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(rows.cast(schema))
        _put_in_place(making, entry, key)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return rows


def _counted(rows: Iterable[Row]) -> Iterator[Row]:
    with steps("Reading embedded pictures", 0) as step:
        for row in rows:
            yield row
            step()


def _put_in_place(making: Path, entry: Path, key: str) -> None:
    try:
        os.replace(making, entry)
    except OSError:
        if _whole_entry(entry, key) is not None:
            return  # another process made the same entry meanwhile
        shutil.rmtree(entry, ignore_errors=True)
        os.replace(making, entry)
