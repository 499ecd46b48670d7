"""A folder of pictures with `metadata.csv`, `.jsonl` or `.parquet`, as Hugging Face's imagefolder has it."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.data.formats.delimited import open_delimited
from leyenda.data.formats.format import Format, Reading, ReadOptions
from leyenda.data.formats.tables import Part, table_rows
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.split_names import split_of_folder

if TYPE_CHECKING:
    from leyenda.data.examples import Examples

OPENERS = {"metadata.csv": open_delimited}


def _metadata_files(source: Path) -> list[Part]:
    """Metadata at the top and in the folders below it; a folder named as a split gives its split."""
    if source.is_file():
        return [Part(source)] if source.name in OPENERS else []
    folders = [source, *sorted(child for child in source.iterdir() if child.is_dir())]
    return [
        Part(folder / name, split_of_folder(folder.name) if folder != source else None)
        for folder in folders
        for name in OPENERS
        if (folder / name).is_file()
    ]


def _detect(source: Path) -> bool:
    return bool(_metadata_files(source))


def _read(source: str, options: ReadOptions) -> Reading:
    parts = _metadata_files(Path(source))
    read_parts = [
        table_rows(
            OPENERS[part.file.name],
            part,
            options,
            root=str(part.file.parent.absolute()),
            convention="file_name",
        )
        for part in parts
    ]
    return Reading(chain.from_iterable(rows for _, rows in read_parts), str(Path(source).absolute()))


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    for split in [None, *examples.splits()]:
        rows = [
            {"file_name": example.id, "captions": list(example.captions)}
            for example in examples
            if example.split == split
        ]
        below = split or ""
        if rows:
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / below).mkdir(exist_ok=True)
            write_new(folder / below / "metadata.jsonl", lines)
    for example in examples:
        pictures.put(example, below=example.split or "")


IMAGEFOLDER = Format(
    "imagefolder",
    "a folder with metadata.csv, metadata.jsonl or metadata.parquet",
    _detect,
    _read,
    _write,
)
