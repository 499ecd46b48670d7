"""Words of a command line become inputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from leyenda.errors import LeyendaError
from leyenda.volume.inputs.files import Folder, OnePicture, Pattern, is_pattern
from leyenda.volume.inputs.name_list import (
    STANDARD_INPUT,
    NameList,
    PipedPicture,
    check_that_some_exist,
    piped_in,
)
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import Item


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read.

    Args:
        hidden: take hidden files and folders, too.
        lists: files of paths or addresses, one a line.
    """

    hidden: bool = False
    lists: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """All pictures to caption: can be gone through more than once, always in the same order.

    Args:
        sources: what was named.
        single: one picture was named by itself, so that its caption needs no name beside it.
    """

    sources: Sequence[Source]
    single: bool = False

    def __iter__(self) -> Iterator[Item]:
        for source in self.sources:
            yield from source.items()

    def count(self) -> int | None:
        """How many there are; None where finding out takes as long as reading them."""
        counts = [source.count() for source in self.sources]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def folder(self) -> str | None:
        """The folder that was named, if that is all that was."""
        return self.sources[0].folder if len(self.sources) == 1 else None


def open_inputs(
    words: Sequence[str], options: InputOptions | None = None, standard_input: BinaryIO | None = None
) -> Inputs:
    """Find out what words name; no picture is opened, and no folder is gone through further than its first one.

    Args:
        words: paths of files or folders (all pictures in and below them), glob patterns (`**` goes through folders),
            http(s) addresses, or `-` for standard input, which holds one picture or a list of names, one a line.
        options: how they are read.
        standard_input: what `-` reads; None takes the process's own.

    Raises:
        LeyendaError: nothing is named, or nothing that was named is there.

    >>> open_inputs(["https://example.org/a.jpg"]).single
    True
    """
    options = options or InputOptions()
    if not words and not options.lists:
        raise LeyendaError("No picture is named.", "Name files, folders, addresses, or - for standard input.")
    if [*words, *options.lists].count(STANDARD_INPUT) > 1:
        raise LeyendaError("Standard input (-) is named twice.", "It can be read only once.")
    sources = [_source(word, options, standard_input) for word in words]
    sources += [_list(word, standard_input) for word in options.lists]
    for source in sources:
        source.check()
    if all(isinstance(source, OnePicture) for source in sources):
        check_that_some_exist([source.word for source in sources if isinstance(source, OnePicture)])
    return Inputs(sources, len(sources) == 1 and isinstance(sources[0], OnePicture | PipedPicture))


def _source(word: str, options: InputOptions, standard_input: BinaryIO | None) -> Source:
    if word == STANDARD_INPUT:
        return piped_in(standard_input or sys.stdin.buffer)
    if is_pattern(word):
        return Pattern(word, options.hidden)
    if os.path.isdir(word):
        return Folder(word, options.hidden)
    return OnePicture(word)


def _list(word: str, standard_input: BinaryIO | None) -> Source:
    if word == STANDARD_INPUT:
        return piped_in(standard_input or sys.stdin.buffer)
    return NameList(repr(word), word)
