"""What a data format is to the rest of leyenda: how it is recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.data.gather import Row

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Reading:
    """A source opened for reading.

    Args:
        rows: one for each row, line or file of the source, read as they are asked for.
        root: absolute folder that the pictures' names are relative to; empty where there is none.
    """

    rows: Iterable[Row]
    root: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """One data format.

    Args:
        name: what `--format` calls it.
        looks_for: what it recognises, in words, for the message about a source that nothing recognises.
        detect: whether a file or folder that exists is of this format; looks at names and first lines only.
        read: opens a source.
        write: writes examples into an empty folder; None when the format cannot be written.
    """

    name: str
    looks_for: str
    detect: Callable[[Path], bool]
    read: Callable[[str, ReadOptions], Reading]
    write: Callable[[Examples, Path, PictureCopier], None] | None
