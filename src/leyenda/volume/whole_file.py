"""Files that appear whole or not at all: a temporary name beside them, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from leyenda.errors import disk_error


def temporary_of(path: Path) -> Path:
    """The name that a file has until it is whole: the same at each attempt, so that none is left behind, and short.

    >>> len(temporary_of(Path("photos") / ("a" * 255)).name)
    33
    """
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return path.with_name(f".leyenda-{digest}.partial")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network disks cannot
        pass
    finally:
        os.close(handle)


def behind_link(path: Path) -> Path:
    """The file that a link leads to; any other path as it is. A link is kept, and never replaced by a file."""
    return path.resolve() if path.is_symlink() else path


@contextlib.contextmanager
def being_written(path: Path) -> Iterator[BinaryIO]:
    """A file that is on the disk, under its temporary name, when the block ends well; `put_in_place` does the rest.

    Raises:
        DiskError: it cannot be written; nothing is left of it.
    """
    temporary = temporary_of(path)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise disk_error(error, path) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def put_in_place(path: Path) -> None:
    """Give a file that is whole its name, if that has not happened yet.

    Raises:
        DiskError: the folder may not be written to.
    """
    try:
        os.replace(temporary_of(path), path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error, path) from error
    sync_folder(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file whole; where a link of that name is, the file that it leads to.

    Raises:
        DiskError: it cannot be written; what was there is untouched.
    """
    path = behind_link(path)
    with being_written(path) as file:
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
        file.write(data)
    put_in_place(path)


def remove_temporary(path: Path) -> None:
    """Take away what a run that was killed left of a file that was not whole."""
    path = behind_link(path)
    try:
        temporary_of(path).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it.

    Raises:
        DiskError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
