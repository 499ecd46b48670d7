"""Words of a command line become inputs."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from leyenda.errors import LeyendaError
from leyenda.images.names import is_picture
from leyenda.volume.inputs.files import Folder, MissingShard, OnePicture, Pattern, is_pattern
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.name_list import (
    STANDARD_INPUT,
    NameList,
    PipedPicture,
    check_that_some_exist,
    piped_in,
    refuse_list,
)
from leyenda.volume.inputs.source import Source
from leyenda.volume.item import Item, is_address

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
_SHARDS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_BRACES = re.compile(r"\{[^{}]*\}.*\.tar$")
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


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

    def usable(self) -> Iterator[Item]:
        """Those that may hold a picture, as far as is known without looking."""
        return (item for item in self if item.unusable is None)

    def count(self) -> int | None:
        """How many there are; None where finding out takes as long as reading them."""
        counts = [source.count() for source in self.sources]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def files(self) -> list[str]:
        """The files that were named, of any kind."""
        return [source.file for source in self.sources if source.file is not None]

    def finds_pictures_in(self, folder: str) -> bool:
        """Whether pictures that are put into a folder would be inputs the next time."""
        return any(source.finds_pictures_in(folder) for source in self.sources)

    def finds_shards_in(self, folder: str) -> bool:
        """Whether shards that are put into a folder would be inputs the next time."""
        return any(source.finds_shards_in(folder) for source in self.sources)

    @property
    def folders(self) -> list[str]:
        """The folders that were named."""
        return [source.folder for source in self.sources if source.folder is not None]

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
    sources = [source for word in words for source in _sources(word, options, standard_input)]
    sources += [_list(word, standard_input) for word in options.lists]
    _refuse_table_options(options, sources)
    for source in sources:
        source.check()
        if options.prompt is not None and source.columns is not None:
            options.prompt.check(source.columns)
    _check_files(sources)
    return Inputs(sources, len(sources) == 1 and isinstance(sources[0], OnePicture | PipedPicture))


def _refuse_table_options(options: InputOptions, sources: Sequence[Source]) -> None:
    if any(source.is_table for source in sources):
        return
    for name, value in (("--image-column", options.image_column), ("--image-root", options.image_root)):
        if value is not None:
            raise LeyendaError(f"{name} has no meaning here: no table is named.", "Leave it out.")


def _check_files(sources: Sequence[Source]) -> None:
    """Of files that are named one by one some must be there, and a single one must not be a list of others."""
    named = [source.word for source in sources if isinstance(source, OnePicture | MissingShard)]
    if len(named) < len(sources):
        return
    shards = all(isinstance(source, MissingShard) for source in sources)
    check_that_some_exist(named, "shard" if shards else "file")
    if len(named) == 1:
        refuse_list(named[0])


def _of_braces(word: str, options: InputOptions) -> list[Source]:
    """The shards that a word with braces stands for; none where it is no such word."""
    if not _BRACES.search(word) or os.path.lexists(word):
        return []
    from leyenda.data.formats.webdataset import expand_braces

    return [
        _file(path, options) if os.path.isfile(path) else MissingShard(path) for path in expand_braces(word)
    ]


def _sources(word: str, options: InputOptions, standard_input: BinaryIO | None) -> list[Source]:
    """What a word names; a pattern of tables or shards names each of them."""
    if word == STANDARD_INPUT:
        return [piped_in(standard_input or sys.stdin.buffer)]
    if shards := _of_braces(word, options):
        return shards
    if is_pattern(word):
        found = _of_files(word)
        return [_file(path, options) for path in found] if found else [Pattern(word, options.hidden)]
    if os.path.isdir(word):
        return _folder(word, options)
    return [_file(word, options)]


def _of_files(pattern: str) -> list[str]:
    """Tables and shards that a glob matches; none where its ending says nothing of such."""
    if not pattern.lower().endswith((*_TABLES, *_SHARDS)):
        return []
    return sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))


def _folder(word: str, options: InputOptions) -> list[Source]:
    if any(os.path.isfile(os.path.join(word, name)) for name in ("dataset_dict.json", "state.json")):
        from leyenda.volume.inputs.data_sets import SavedDataset

        return [SavedDataset(word, options)]
    pictures = Folder(word, options.hidden)
    if next(pictures.items(), None) is None:
        shards = sorted(name for name in os.listdir(word) if name.lower().endswith(_SHARDS))
        if shards:
            return [_file(os.path.join(word, name), options) for name in shards]
    return [pictures]


def _file(word: str, options: InputOptions) -> Source:
    """A file by its ending; the parts that read tables are loaded for tables only."""
    lower = word.lower()
    if is_address(word) or is_picture(word):
        return OnePicture(word)
    if lower.endswith(_SHARDS) and os.path.isfile(word):
        from leyenda.volume.inputs.shards import Shard

        return Shard(word, options)
    if lower.endswith(".parquet") and os.path.isfile(word):
        from leyenda.volume.inputs.parquet_file import ParquetTable

        return ParquetTable(word, options)
    if lower.endswith(_TABLES) and os.path.isfile(word):
        from leyenda.volume.inputs.tables import NamingTable

        return NamingTable(word, options)
    if _HUB_ID.fullmatch(word) and not os.path.exists(word) and not os.path.exists(word.partition("/")[0]):
        from leyenda.volume.inputs.data_sets import HubDataset

        return HubDataset(word, options)
    return OnePicture(word)


def _list(word: str, standard_input: BinaryIO | None) -> Source:
    if word == STANDARD_INPUT:
        return piped_in(standard_input or sys.stdin.buffer)
    return NameList(repr(word), word)
