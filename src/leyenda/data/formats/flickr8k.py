"""Flickr8k: the authors' token file (`name.jpg#0<TAB>caption`), or the `image,caption` CSV of the public copies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from os.path import join
from pathlib import Path

from leyenda.data.columns import CAPTION_COLUMNS, IMAGE_COLUMNS
from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.delimited import delimiter_of, open_delimited
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.tables import Part, files_with, read_parts
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import NAMES_TRIED, PictureCopier, picture_root, write_new
from leyenda.data.text_lines import head_of, open_text
from leyenda.errors import DataError

SPLIT_LISTS = {"trainImages.txt": "train", "devImages.txt": "validation", "testImages.txt": "test"}
"""Endings of the files that list the pictures of a split."""

TOKEN_FILE = "Flickr8k.token.txt"  # noqa: S105 - a file's name


def _file(source: Path) -> Path | None:
    """The file of captions: the source itself, or the one in the folder or in its `Flickr8k_text`."""
    if source.is_file():
        return source if _is_tokens(source) or _is_csv(source) else None
    folders = [folder for folder in (source, source / "Flickr8k_text") if folder.is_dir()]
    files = [file for folder in folders for file in files_with(folder, (".txt",))]
    tokens = [file for file in files if file.name.lower().endswith(".token.txt")]
    # The authors' folder holds lemmas of the same captions too, in a file of the same form.
    tokens = [file for file in tokens if "lemma" not in file.name.lower() and _is_tokens(file)]
    tables = [file for file in files if file.name.lower() == "captions.txt" and _is_csv(file)]
    return next(iter(tokens + tables), None)


def _first_line(path: Path) -> str:
    return head_of(path, 4096).partition("\n")[0].rstrip("\r")


def _is_tokens(path: Path) -> bool:
    name, tab, _ = _first_line(path).partition("\t")
    return bool(tab) and path.suffix.lower() == ".txt" and name.rpartition("#")[2].isdigit()


def _is_csv(path: Path) -> bool:
    header = _first_line(path)
    names = {name.strip().strip('"').lower() for name in header.split(delimiter_of(header))}
    known = bool(names & set(IMAGE_COLUMNS)) and bool(names & set(CAPTION_COLUMNS))
    return known and path.suffix.lower() == ".txt"


def _detect(source: Path) -> bool:
    return _file(source) is not None


def _read(source: str, options: ReadOptions) -> Examples:
    file = _file(Path(source))
    if file is None:
        raise DataError(
            f"{source} is not Flickr8k: there is neither a *.token.txt nor a captions.txt with image,caption."
        )
    if not _is_tokens(file):
        return read_parts([Part(file)], open_delimited, source, options)
    splits = _split_lists(file.parent)
    rows = _token_rows(file)
    first = list(islice(rows, NAMES_TRIED))
    root = picture_root(file, (row.name for row in first), options.image_root)
    placed = (
        row._replace(path=join(root, row.name), split=splits.get(row.name)) for row in chain(first, rows)
    )
    return Examples(gather(placed), root)


def _token_rows(path: Path) -> Iterator[Row]:
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            key, tab, caption = line.rstrip("\r\n").partition("\t")
            name, mark, index = key.rpartition("#")
            if not (tab and mark and index.isdigit() and name):
                raise DataError(f"{path}:{number}: the line is not like 'name.jpg#0<TAB>caption'.")
            yield Row(name, [caption], file=str(path), line=number)


def _split_lists(folder: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for ending, split in SPLIT_LISTS.items():
        for path in files_with(folder, (ending.lower(),)):
            with open_text(path) as file:
                for number, line in enumerate(file, 1):
                    name = line.strip()
                    if splits.setdefault(name, split) != split:
                        raise DataError(
                            f"{path}:{number}: {name!r} is in the list of {splits[name]} as well."
                        )
    return splits


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    unknown = examples.splits().keys() - set(FIRST_SPLITS)
    if unknown:
        raise DataError(f"Flickr8k files cannot say the split {min(unknown)!r}.", "Write jsonl instead.")
    lines = (
        f"{example.id}#{number}\t{caption}\n"
        for example in examples
        for number, caption in enumerate(example.captions)
    )
    write_new(folder / TOKEN_FILE, "".join(lines))
    for ending, split in SPLIT_LISTS.items():
        names = [example.id for example in examples if example.split == split]
        if names:
            write_new(folder / f"Flickr_8k.{ending}", "".join(f"{name}\n" for name in names))
    for example in examples:
        pictures.put(example, below="Images")


FLICKR8K = Format(
    "flickr8k",
    "Flickr8k.token.txt or a captions.txt with the header image,caption",
    _detect,
    _read,
    _write,
)
