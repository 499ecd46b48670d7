"""A data set on the Hugging Face Hub, by its id (`owner/name`), read with the library `datasets`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from leyenda.data.cache import cached_rows
from leyenda.data.embedded import ArrowColumns, Batch, embedded_rows, find_arrow_columns
from leyenda.data.examples import Examples
from leyenda.data.formats.format import TABLE_OPTIONS, Format, ReadOptions
from leyenda.data.formats.saved_dataset import read_arrow_files
from leyenda.data.formats.tables import Part
from leyenda.data.gather import join
from leyenda.data.split_names import split_name, split_of_folder
from leyenda.errors import DataError, HubError, MissingExtra

_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_DOWNLOADED = re.compile(
    r"^.*?(?:/snapshots/[0-9a-f]{40}|/extracted/[0-9a-f]{64})/|^hf://datasets/[^/]+/[^/@]+@[^/]+/"
)

STREAMED_ROWS = 64


def is_dataset_id(source: str) -> bool:
    """Whether a text that is no path looks like the id of a data set on the Hub."""
    return bool(_ID.fullmatch(source)) and not Path(source.partition("/")[0]).exists()


def _read(source: str, options: ReadOptions) -> Examples:
    if not _ID.fullmatch(source):
        raise DataError(f"{source!r} is not the id of a data set on the Hub.", "Ids look like owner/name.")
    try:
        import datasets
    except ImportError as error:
        raise MissingExtra("Reading a data set from the Hub", "datasets") from error
    try:
        return (
            _streamed(datasets, source, options)
            if options.streaming
            else _downloaded(datasets, source, options)
        )
    except (HubError, DataError):
        raise
    except Exception as error:
        raise hub_error(source, options, error) from error


def load_splits(datasets: Any, source: str, options: ReadOptions) -> Any:
    """Splits by name, as the library `datasets` gives them."""
    return datasets.load_dataset(
        source, revision=options.revision, token=options.token, streaming=options.streaming
    )


def hub_error(source: str, options: ReadOptions, error: Exception) -> HubError:
    """The error of `datasets` or of the network, in one line and with what to do."""
    said = " ".join(str(error).split())[:200].rstrip(".")
    at = f" at revision {options.revision!r}" if options.revision else ""
    kind = type(error).__name__
    if kind in ("DatasetNotFoundError", "RepositoryNotFoundError", "RevisionNotFoundError", "GatedRepoError"):
        return HubError(
            f"The Hub has no data set {source!r}{at} that you may read.",
            "Check the id and the revision; for a private or gated one log in (hf auth login) or give a token.",
        )
    if isinstance(error, (ConnectionError, TimeoutError)) or "Offline" in kind or "Connect" in kind:
        return HubError(
            f"The Hub cannot be reached to read {source!r}, and there is no file or folder of this name.",
            "Check the name, the network and HF_HUB_OFFLINE.",
        )
    return HubError(f"The data set {source!r}{at} cannot be read from the Hub: {said or kind}.")


def _downloaded(datasets: Any, source: str, options: ReadOptions) -> Examples:
    """Downloads to the cache of `datasets` and reads the Arrow files there, where they lie."""
    loaded = load_splits(datasets, source, options)
    parts = [
        Part(Path(file["filename"]), split_name(str(split)))
        for split, dataset in loaded.items()
        for file in dataset.cache_files
    ]
    return read_arrow_files(parts, "", options, name_of=name_in_repository)


def _streamed(datasets: Any, source: str, options: ReadOptions) -> Examples:
    """Reads row by row; only the pictures are stored, in the cache of leyenda."""
    loaded = load_splits(datasets, source, options)
    splits = {split_name(str(split)): undecoded(dataset) for split, dataset in loaded.items()}
    schema = next(iter(splits.values())).features.arrow_schema
    wanted = find_arrow_columns(schema, source, options.image_column, options.caption_column)
    if not wanted.embedded:
        raise DataError(f"{source} names its pictures and does not hold them.", "Read it without streaming.")
    batches = chain.from_iterable(
        _batches(dataset, split, source, wanted, options) for split, dataset in splits.items()
    )
    identity = ["hub", source, _commit(source, options), wanted.needed()]
    return Examples(
        join(cached_rows(identity, lambda spool: embedded_rows(batches, wanted, spool, name_in_repository)))
    )


def undecoded(dataset: Any) -> Any:
    """The same rows with pictures as bytes and paths."""
    if dataset.features is None:
        dataset = dataset._resolve_features()
    return dataset.decode(False)


def _commit(source: str, options: ReadOptions) -> str:
    from huggingface_hub import HfApi

    found = HfApi(token=options.token).dataset_info(source, revision=options.revision)
    return str(found.sha)


def _batches(
    dataset: Any, split: str | None, source: str, wanted: ArrowColumns, options: ReadOptions
) -> Iterator[Batch]:
    names = wanted.needed()
    schema = pa.schema([dataset.features.arrow_schema.field(name) for name in names])
    number = 1
    for rows in dataset.select_columns(names).iter(batch_size=STREAMED_ROWS):
        rows[wanted.columns.image] = [
            fetched_picture(picture, options.token) for picture in rows[wanted.columns.image]
        ]
        yield Batch(pa.RecordBatch.from_pydict(rows, schema), source, number, split, "")
        number += len(rows[names[0]])


def fetched_picture(picture: Any, token: str | None) -> Any:
    """A picture with its bytes, read from the Hub where the row has only its path."""
    if not isinstance(picture, dict) or picture.get("bytes") is not None or not picture.get("path"):
        return picture
    from datasets import DownloadConfig
    from datasets.utils.file_utils import xopen

    with xopen(picture["path"], "rb", download_config=DownloadConfig(token=token)) as file:
        return {"bytes": file.read(), "path": picture["path"]}


def name_in_repository(path: str) -> str:
    """A picture's name in the data set's repository, without the folder of its split, from where it was downloaded to.

    >>> name_in_repository("hf://datasets/owner/name@main/train/birds/a.png")
    'birds/a.png'
    """
    name = _DOWNLOADED.sub("", path.partition("::")[0].removeprefix("zip://"))
    top, _, rest = name.partition("/")
    return rest if rest and split_of_folder(top) else name


HUB = Format(
    "hub",
    "the id of a data set on the Hub (owner/name)",
    lambda _: False,
    _read,
    None,
    uses=TABLE_OPTIONS | {"revision", "streaming"},
    claims=is_dataset_id,
)
