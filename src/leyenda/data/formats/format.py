"""What a data format is to the rest of leyenda: how it is recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leyenda.data.examples import Examples
from leyenda.data.pictures import PictureCopier


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a user may say about a source beside its name; see `leyenda.data.load_examples`."""

    image_column: str | None = None
    caption_column: str | None = None
    image_root: Path | None = None
    revision: str | None = None
    streaming: bool = False
    token: str | None = None


TABLE_OPTIONS = frozenset({"image_column", "caption_column", "image_root"})


@dataclass(frozen=True, slots=True)
class Format:
    """One data format.

    Args:
        name: what `--format` calls it.
        looks_for: what it recognises, in words, for the message about a source that nothing recognises.
        detect: whether a file or folder that exists is of this format; looks at names and beginnings only.
        read: opens a source.
        write: writes examples into an empty folder; None when the format cannot be written.
        uses: which of `ReadOptions` it understands; others are refused.
        claims: whether a text that is no path names a source of this format.
    """

    name: str
    looks_for: str
    detect: Callable[[Path], bool]
    read: Callable[[str, ReadOptions], Examples]
    write: Callable[[Examples, Path, PictureCopier], None] | None
    uses: frozenset[str] = TABLE_OPTIONS
    claims: Callable[[str], bool] = lambda _: False
