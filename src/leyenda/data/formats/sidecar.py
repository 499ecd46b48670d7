"""A folder of pictures, each with its captions in a text file beside it, one caption a line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from os.path import join
from pathlib import Path

from leyenda.data.beside import caption_file_names, captions_beside, captions_in_lines
from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.split_names import split_of_folder
from leyenda.data.text_lines import read_text
from leyenda.errors import DataError
from leyenda.images.names import is_picture

ENDINGS = (".txt", ".caption")


def _folders(source: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder below, relative to the source (empty or ending in `/`), with its files by name."""
    for folder, below, files in os.walk(source):
        below[:] = sorted(name for name in below if not name.startswith("."))
        relative = os.path.relpath(folder, source).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        yield prefix, sorted(name for name in files if not name.startswith("."))


def _detect(source: Path) -> bool:
    return source.is_dir() and any(_has_pair(files) for _, files in _folders(source))


def _has_pair(files: list[str]) -> bool:
    there = set(files)
    stems = (stem for name in files if is_picture(name) for stem in (name, os.path.splitext(name)[0]))
    return any(stem + ending in there for stem in stems for ending in ENDINGS)


def _read(source: str, options: ReadOptions) -> Examples:
    root = os.path.abspath(source)
    if not os.path.isdir(root):
        raise DataError(f"{source} is not a folder of pictures and caption files.")
    rows = chain.from_iterable(
        _folder_rows(root, prefix, files, options.caption_column) for prefix, files in _folders(Path(root))
    )
    return Examples(gather(rows), root)


def _folder_rows(root: str, prefix: str, files: list[str], ending: str | None) -> Iterator[Row]:
    folder = join(root, prefix)
    for picture, beside in captions_beside(files, ENDINGS, ending, folder.rstrip("/")).items():
        top, _, rest = (prefix + picture).partition("/")
        split = split_of_folder(top) if rest else None
        name = rest if split else prefix + picture
        path = join(folder, picture)
        if beside is None:
            yield Row(name, [], split, path, file=path)
            continue
        file = join(folder, beside)
        captions, lines = captions_in_lines(read_text(Path(file)))
        yield Row(name, captions, split, path, 0, None, file, lines[0], lines)


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    for split in (None, *examples.splits()):
        if split is not None and split not in FIRST_SPLITS:
            raise DataError(
                f"A folder of caption files cannot say the split {split!r}.",
                "Write another format, such as jsonl.",
            )
        part = examples.select(index for index, example in enumerate(examples) if example.split == split)
        stems = caption_file_names(part.ids())
        for example in part:
            pictures.put(example, below=split or "")
            if example.captions:
                text = "".join(f"{caption}\n" for caption in example.captions)
                write_new(folder / (split or "") / f"{stems[example.id]}.txt", text)


SIDECAR = Format(
    "sidecar",
    "a folder of pictures with caption files beside them (a.jpg and a.txt, a.jpg.txt or a.caption)",
    _detect,
    _read,
    _write,
    uses=frozenset({"caption_column"}),
)
