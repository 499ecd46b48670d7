"""One input: a picture to caption, what it is called, and what its row says about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from leyenda.records import ImageSource, PictureBytes, Skipped

BAD_ROW, BROKEN_SHARD, MISSING_SHARD = PARTS = ("bad_row", "broken_shard", "missing_shard")
"""Reasons of inputs that stand for a file, or a part of one, which cannot be read."""

PictureSource: TypeAlias = str | ImageSource | PictureBytes
"""A path or an http(s) address; a run of bytes in a file; the encoded bytes themselves."""


@dataclass(frozen=True, slots=True)
class Item:
    """One input.

    Args:
        name: what the user, the folder or the row calls it, the same each time the input is read; `-` for a picture on
            standard input.
        source: where the encoded picture is.
        relative: where it lies below the folder that was named, for outputs that mirror folders; never leads out of it.
        columns: the row of a table or the fields of a sample, for prompts; empty for a picture file.
        unusable: why there is no picture to look for.
    """

    name: str
    source: PictureSource
    relative: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    unusable: Skipped | None = None

    @property
    def file(self) -> str | None:
        """The picture file that this input is, or None where it is an address, or bytes of something else."""
        return self.source if isinstance(self.source, str) and not is_address(self.source) else None

    @property
    def address(self) -> str | None:
        """The http(s) address that this input is, or None."""
        return self.source if isinstance(self.source, str) and is_address(self.source) else None


def unusable_item(name: str, code: str, message: str) -> Item:
    """An input of which is known already that it cannot be captioned."""
    return Item(name, PictureBytes(b"", repr(name)), unusable=Skipped(code, message))


def is_address(word: str) -> bool:
    """Whether a word is an http(s) address and not a path."""
    return word.lower().startswith(("http://", "https://"))


def safe_relative(name: str) -> str:
    """A path that stays below the folder that it is joined to, from a name that is data.

    >>> safe_relative("birds/a.jpg"), safe_relative("../../etc/a.jpg"), safe_relative("/etc/a.jpg")
    ('birds/a.jpg', 'a.jpg', 'a.jpg')
    """
    path = os.path.normpath(name) if name else ""
    if path.startswith(("/", "..")) or "\0" in path:
        path = os.path.basename(path).replace("\0", "")
    return "" if path in (".", "..") else path
