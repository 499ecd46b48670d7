"""A folder written by `save_to_disk` of the library `datasets`: a Dataset or a DatasetDict.

That library is needed neither to read nor to write it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from os.path import abspath
from pathlib import Path
from typing import Any

import pyarrow as pa

from leyenda.data.cache import cached_rows, file_identity
from leyenda.data.embedded import ArrowColumns, Batch, embedded_rows, find_arrow_columns
from leyenda.data.examples import Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.json_lines import parse_json
from leyenda.data.formats.parquet import picture_rows, picture_schema
from leyenda.data.formats.tables import Part, Table, table_rows
from leyenda.data.gather import gather, join
from leyenda.data.pictures import PictureCopier, write_new
from leyenda.data.split_names import split_name
from leyenda.errors import DataError


def is_saved_dataset(source: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return (source / "dataset_dict.json").is_file() or (source / "state.json").is_file()


def dataset_parts(folder: Path) -> list[Part]:
    """The Arrow files of a saved dataset.

    Raises:
        DataError: it is not whole.
    """
    said = folder / "dataset_dict.json"
    if not said.is_file():
        return _arrow_files(folder, None)
    splits = _listed(said, "splits")
    return [part for split in splits for part in _arrow_files(folder / split, split_name(split))]


def _arrow_files(folder: Path, split: str | None) -> list[Part]:
    state = folder / "state.json"
    if not state.is_file():
        raise DataError(f"{folder} is not a whole saved dataset: there is no state.json.")
    files = [entry.get("filename") for entry in _listed(state, "_data_files") if isinstance(entry, dict)]
    missing = next((name for name in files if not (folder / str(name)).is_file()), None)
    if missing:
        raise DataError(f"{folder} is not a whole saved dataset: there is no {missing}.")
    return [Part(folder / str(name), split) for name in files]


def _listed(path: Path, key: str) -> list[Any]:
    value = parse_json(path)
    entries = value.get(key) if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise DataError(f"{path} is not a saved dataset's: it has no list {key!r}.")
    return entries


def _read(source: str, options: ReadOptions) -> Examples:
    folder = Path(source)
    if not is_saved_dataset(folder):
        raise DataError(
            f"{source} is not a saved dataset: there is neither dataset_dict.json nor state.json."
        )
    return read_arrow_files(dataset_parts(folder), abspath(options.image_root or folder), options)


def read_arrow_files(
    parts: list[Part], root: str, options: ReadOptions, name_of: Callable[[str], str] = str
) -> Examples:
    """Examples of Arrow stream files, whose embedded pictures are read where they lie.

    Args:
        parts: the files and the splits they belong to.
        root: folder to which names of pictures that are not embedded are relative.
        options: columns that the user names.
        name_of: a picture's name for the path inside its value.
    """
    if not parts:
        raise DataError(f"{root} is a saved dataset without rows.")
    schema, _, _ = _open(parts[0].file)
    wanted = find_arrow_columns(schema, str(parts[0].file), options.image_column, options.caption_column)
    if wanted.embedded:
        files = [[*file_identity(part.file), abspath(part.file), part.split] for part in parts]
        identity = ["arrow", files, wanted.needed(), root]
        batches = chain.from_iterable(arrow_batches(part, root) for part in parts)
        return Examples(
            join(cached_rows(identity, lambda spool: embedded_rows(batches, wanted, spool, name_of)))
        )
    read = [table_rows(_table(part, wanted, root), part, options, root=root) for part in parts]
    return Examples(gather(chain.from_iterable(part.rows for part in read)), root)


def _open(path: Path) -> tuple[pa.Schema, Any, pa.Buffer]:
    try:
        with pa.memory_map(str(path)) as file:
            mapped = file.read_buffer()
        reader = pa.ipc.open_stream(pa.BufferReader(mapped))
    except PermissionError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path) from error
    return reader.schema, reader, mapped


def _damaged(path: Path) -> DataError:
    return DataError(f"{path} is not a whole Arrow file.", "Save or download the data set again.")


def arrow_batches(part: Part, root: str) -> Iterator[Batch]:
    """The rows of an Arrow file, which stay on the disk as long as they are not looked at.

    Raises:
        DataError: it is not whole.
    """
    _, reader, mapped = _open(part.file)
    number = 1
    try:
        for data in reader:
            yield Batch(data, abspath(part.file), number, part.split, root, mapped)
            number += len(data)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(part.file) from error


def _table(part: Part, wanted: ArrowColumns, root: str) -> Table:
    names = wanted.needed()
    rows = (
        (batch.first_row + index, dict(zip(names, row, strict=True)))
        for batch in arrow_batches(part, root)
        for index, row in enumerate(
            zip(*(batch.data.column(name).to_pylist() for name in names), strict=True)
        )
    )
    return Table(names, rows)


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    """A DatasetDict when every picture is in a split; else a Dataset, its splits in a column."""
    splits = examples.splits()
    if sum(splits.values()) < len(examples):
        _write_dataset(examples, folder, pictures, split=None, with_split=bool(splits))
        return
    for split in splits:
        _check_folder_name(split)
        _write_dataset(examples.split(split), folder / split, pictures, split=split, with_split=False)
    write_new(folder / "dataset_dict.json", json.dumps({"splits": list(splits)}))


def _check_folder_name(split: str) -> None:
    if not re.fullmatch(r"\w+(\.\w+)*", split):
        raise DataError(f"A saved dataset cannot have a split named {split!r}.", "Write jsonl instead.")


def _write_dataset(
    examples: Examples, folder: Path, pictures: PictureCopier, *, split: str | None, with_split: bool
) -> None:
    folder.mkdir(exist_ok=True)
    schema = picture_schema(with_split)
    name = "data-00000-of-00001.arrow"
    with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for rows in picture_rows(examples, pictures, with_split):
            writer.write_table(pa.Table.from_pylist(rows, schema))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    write_new(
        folder / "dataset_info.json", json.dumps({"features": features, "citation": "", "description": ""})
    )
    state: dict[str, object] = {
        "_data_files": [{"filename": name}],
        "_fingerprint": hashlib.sha256("".join(examples.ids()).encode()).hexdigest()[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
    write_new(folder / "state.json", json.dumps(state))


SAVED_DATASET = Format(
    "saved-dataset",
    "a folder written by datasets' save_to_disk (dataset_dict.json or state.json)",
    is_saved_dataset,
    _read,
    _write,
)
