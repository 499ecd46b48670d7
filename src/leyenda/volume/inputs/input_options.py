"""How inputs are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read.

    Args:
        hidden: take hidden files and folders, too.
        lists: files of paths or addresses, one a line.
        image_column: column of a table that names or holds the picture; None finds it by its name.
        image_root: folder that the names in a table are relative to; None finds it.
        columns: further columns of a table that are wanted, for prompts.
        revision: branch, tag or commit of a data set on the Hub.
        token: hub token.
    """

    hidden: bool = False
    lists: Sequence[str] = ()
    image_column: str | None = None
    image_root: str | None = None
    columns: tuple[str, ...] = ()
    revision: str | None = None
    token: str | None = None
