"""Picture files and addresses that are named one by one, folders of them, and patterns that they match."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from leyenda.errors import LeyendaError
from leyenda.images.fetching import without_secrets
from leyenda.volume.inputs.folder_walk import ANY_DEPTH, EVERYTHING, enters, pictures_below
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import MISSING_SHARD, Item, is_address, unusable_item

_OTHER_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)

_KNOWN_BY = "Check the name; pictures are known by their endings (.jpg, .png, …)."


@dataclass(frozen=True, slots=True)
class OnePicture(Source):
    """A file or an address."""

    word: str

    @property
    def file(self) -> str | None:
        """The file, unless it is an address."""
        return None if is_address(self.word) else self.word

    def finds_pictures_in(self, folder: str) -> bool:
        """Whether it lies there itself, where its copy would take its place."""
        file = self.file
        return file is not None and os.path.realpath(os.path.dirname(file)) == os.path.realpath(folder)

    def items(self) -> Iterator[Item]:
        """The picture itself, whatever it is called."""
        yield named_picture(self.word)

    def count(self) -> int:
        """One."""
        return 1

    def check(self) -> None:
        """Whether any of several files is there, `leyenda.volume.inputs.opening` looks."""


@dataclass(frozen=True, slots=True)
class MissingShard(Source):
    """A shard that a pattern with braces names, and that is not there."""

    word: str

    def items(self) -> Iterator[Item]:
        """That it is missing."""
        reason = f"There is no shard {self.word!r}. Check the name and the folder."
        yield unusable_item(self.word, MISSING_SHARD, reason)

    def count(self) -> int:
        """One."""
        return 1

    def check(self) -> None:
        """Whether any of several shards is there, `leyenda.volume.inputs.opening` looks."""


@dataclass(frozen=True, slots=True)
class Folder(Source):
    """All pictures in and below a folder."""

    word: str
    hidden: bool = False

    @property
    def folder(self) -> str:
        """The folder itself."""
        return self.word

    def items(self) -> Iterator[Item]:
        """The pictures, sorted by path."""
        for path in pictures_below(self._start, hidden=self.hidden):
            yield Item(path, path, os.path.relpath(path, self.word))

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in pictures_below(self._start, hidden=self.hidden, in_order=False))

    @property
    def _start(self) -> str:
        return "" if self.word in (".", "./") else self.word

    def check(self) -> None:
        """There must be one."""
        if next(self.items(), None) is None:
            raise LeyendaError(f"The folder {self.word!r} holds no picture.", _KNOWN_BY)

    def finds_pictures_in(self, folder: str) -> bool:
        """Whether it is this folder or one below."""
        return enters(self.word, EVERYTHING, folder, hidden=self.hidden)


@dataclass(frozen=True, slots=True)
class Pattern(Source):
    """All pictures that a glob matches."""

    word: str
    hidden: bool = False

    def items(self) -> Iterator[Item]:
        """The pictures, sorted by path."""
        base, parts = _divided(self.word)
        if not os.path.isdir(base or "."):
            return
        for path in pictures_below(base, parts, hidden=self.hidden):
            yield Item(path, path, os.path.relpath(path, base or "."))

    def count(self) -> int:
        """How many there are."""
        base, parts = _divided(self.word)
        return sum(1 for _ in pictures_below(base, parts, hidden=self.hidden, in_order=False))

    def check(self) -> None:
        """There must be one."""
        if next(self.items(), None) is None:
            raise LeyendaError(f"No picture matches {self.word!r}.", _KNOWN_BY)

    def finds_pictures_in(self, folder: str) -> bool:
        """Whether files in that folder may match."""
        base, parts = _divided(self.word)
        return enters(base, parts, folder, hidden=self.hidden)


def named_picture(word: str, columns: dict[str, object] | None = None) -> Item:
    """The item of a path or an address.

    >>> named_picture("https://example.org/a/b%20c.jpg?size=9").relative
    'b c.jpg'
    """
    name = word
    if _OTHER_ADDRESS.match(word) and not is_address(word):
        return unusable_item(
            word, "url", f"{without_secrets(word)} is not an http or https address. Download it first."
        )
    if is_address(word):
        try:
            name = unquote(urlsplit(word).path)
        except ValueError:
            shown = without_secrets(word)
            return unusable_item(word, "url", f"{shown} is a malformed address. Check it.")
    return Item(word, word, os.path.basename(name.rstrip("/")), columns or {})


def is_pattern(word: str) -> bool:
    """Whether a word is a glob; a file that has such characters in its name is meant itself."""
    return glob.has_magic(word) and not is_address(word) and not os.path.lexists(word)


def _divided(pattern: str) -> tuple[str, list[str]]:
    """The folder that a glob begins in, as it is written, and its parts below.

    >>> _divided("photos/2024/*/a?.jpg")
    ('photos/2024', ['*', 'a?.jpg'])
    """
    parts = pattern.split("/")
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    base = "/".join(parts[:fixed])
    if not base and pattern.startswith("/"):
        base = "/"
    below = [part for part in parts[fixed:] if part not in ("", ".")]
    return base, [*below, "*"] if below[-1] == ANY_DEPTH else below
