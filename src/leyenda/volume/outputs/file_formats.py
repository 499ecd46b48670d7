"""Outputs that are one file: how each format is written from entries, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from leyenda.volume.entry import Entry


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format.

    Args:
        name: what `--to` calls it.
        endings: of files that are this format.
        write: entries become a whole file.
        read: the entries of a finished file; raises `ValueError`, `KeyError` or `TypeError` where it is no such file.
        json_lines: whether each line of it is an entry that can be read by itself.
    """

    name: str
    endings: tuple[str, ...]
    write: Callable[[Iterator[Entry], BinaryIO], None]
    read: Callable[[Path], Iterator[Entry]]
    json_lines: bool = False
