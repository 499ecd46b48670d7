"""How inputs are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leyenda.text_control import PromptTemplate


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read.

    Args:
        hidden: take hidden files and folders, too.
        lists: files of paths or addresses, one a line.
        image_column: column of a table that names or holds the picture; None finds it by its name.
        image_root: folder that the names in a table are relative to; None finds it.
        prompt: of the captions, with the names of columns in braces; None where captions go on from nothing.
        revision: branch, tag or commit of a data set on the Hub.
        token: hub token.
    """

    hidden: bool = False
    lists: Sequence[str] = ()
    image_column: str | None = None
    image_root: str | None = None
    prompt: PromptTemplate | None = None
    revision: str | None = None
    token: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Further columns of a table that are wanted, for prompts."""
        return self.prompt.columns if self.prompt is not None else ()
