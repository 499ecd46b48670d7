"""A folder of pictures with `metadata.csv`, `.jsonl` or `.parquet`, as Hugging Face's imagefolder has it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from os.path import abspath
from pathlib import Path

from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.delimited import open_delimited
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.json_lines import json_lines, open_json_lines
from leyenda.data.formats.parquet import open_parquet
from leyenda.data.formats.tables import Part, folders_in, table_rows
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.split_names import split_of_folder
from leyenda.errors import DataError
from leyenda.records import Example

OPENERS = {
    "metadata.csv": open_delimited,
    "metadata.jsonl": open_json_lines,
    "metadata.parquet": open_parquet,
}


def _metadata_files(source: Path) -> list[Part]:
    """Metadata at the top and in the folders below it; a folder named as a split gives its split."""
    if source.is_file():
        return [Part(source)] if source.name in OPENERS else []
    if not source.is_dir():
        return []
    below = folders_in(source)
    # As the Hub's repositories have them, `data/train/metadata.jsonl`.
    below += [inner for folder in below if folder.name == "data" for inner in folders_in(folder)]
    folders = [(source, None), *((folder, split_of_folder(folder.name)) for folder in below)]
    return [
        Part(folder / name, split)
        for folder, split in folders
        for name in OPENERS
        if (folder / name).is_file()
    ]


def _detect(source: Path) -> bool:
    return bool(_metadata_files(source))


def _read(source: str, options: ReadOptions) -> Examples:
    top = Path(abspath(source))
    parts = _metadata_files(top)
    if not parts:
        raise DataError(f"{source} has no {', '.join(OPENERS)}.")
    root = top if top.is_dir() else top.parent
    rows = chain.from_iterable(_rows(part, root, options) for part in parts)
    return Examples(gather(rows), abspath(options.image_root or root))


def _rows(part: Part, top: Path, options: ReadOptions) -> Iterator[Row]:
    """Rows of one metadata file; names are relative to the folder of their split, or to the top."""
    folder = part.file.parent
    below = "" if part.split or folder == top else folder.relative_to(top).as_posix() + "/"
    table = OPENERS[part.file.name](part.file)
    for row in table_rows(table, part, options, root=str(folder), convention="file_name").rows:
        name = below + row.name if row.name else ""
        yield row._replace(name=name, split=row.split or split_of_folder(name.partition("/")[0]))


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    """A folder with its own metadata for each of the usual splits; the top for all others."""
    for split in (None, *FIRST_SPLITS):
        chosen = [index for index, example in enumerate(examples) if _folder_split(example) == split]
        if not chosen:
            continue
        part = examples.select(chosen)
        below = folder / (split or "")
        below.mkdir(exist_ok=True)
        write_new(
            below / "metadata.jsonl",
            json_lines(part, "file_name", with_split=not split and bool(part.splits())),
        )
        for example in part:
            pictures.put(example, below=split or "")


def _folder_split(example: Example) -> str | None:
    return example.split if example.split in FIRST_SPLITS else None


IMAGEFOLDER = Format(
    "imagefolder",
    "a folder with metadata.csv, metadata.jsonl or metadata.parquet",
    _detect,
    _read,
    _write,
)
