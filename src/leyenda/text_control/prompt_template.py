"""A prompt for each picture, filled from the columns that its source has for it."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping

from leyenda.errors import CaptionError, LeyendaError, near


class PromptTemplate:
    """A text with the names of columns in braces; `{{` and `}}` stand for braces.

    Args:
        text: `a photo of {name}`; without names, every picture has the same prompt.

    Raises:
        LeyendaError: it is empty, or its braces say anything but the name of a column.

    >>> PromptTemplate("a photo of {name}").fill({"name": "Ana"})
    'a photo of Ana'
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise LeyendaError("The prompt is empty.", "Write some words, or leave out --prompt.")
        self.text = text
        self._parts: list[tuple[str, str | None]] = []
        try:
            for words, name, how, conversion in string.Formatter().parse(text):
                if name == "" or how or conversion:
                    raise ValueError("braces hold the name of a column and nothing else")
                self._parts.append((words, name))
        except ValueError as error:
            raise LeyendaError(
                f"The prompt {text!r} has braces that name no column ({error}).",
                "Write the name of a column in them, as in 'a photo of {name}'; {{ and }} are braces themselves.",
            ) from error
        self.columns = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))

    def check(self, columns: Iterable[str]) -> None:
        """See, before the work, that the source has the columns.

        Args:
            columns: of the source.

        Raises:
            LeyendaError: it lacks one.
        """
        known = list(columns)
        for name in self.columns:
            if name in known:
                continue
            if not known:
                raise LeyendaError(
                    f"The prompt {self.text!r} needs a column {name!r}, and these pictures have no columns.",
                    "Name a table of pictures (CSV, JSONL, Parquet), or write the prompt without {}.",
                )
            raise LeyendaError(
                f"There is no column {name!r} for the prompt {self.text!r}: the columns are {', '.join(known)}.",
                near(name, known),
            )

    def fill(self, columns: Mapping[str, object]) -> str:
        """The prompt of one picture.

        Args:
            columns: what the source says of it; numbers are written as Python writes them.

        Raises:
            CaptionError: `no_prompt`: a column has no value for it.
        """
        filled = []
        for words, name in self._parts:
            filled.append(words)
            if name is None:
                continue
            value = columns.get(name)
            text = "" if value is None or value != value else " ".join(str(value).split())
            if not text:
                raise CaptionError("no_prompt", f"The column {name!r} of the prompt has no value here.")
            filled.append(text)
        return "".join(filled)
