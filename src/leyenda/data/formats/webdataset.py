"""WebDataset: tar shards in which a picture and its captions have the same name but for the ending."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from itertools import chain, product
from os.path import abspath
from pathlib import Path
from typing import Any

from leyenda.data.beside import caption_file_names, captions_beside, captions_in_lines
from leyenda.data.columns import CAPTION_COLUMNS, captions_in_cell
from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.json_lines import json_value
from leyenda.data.formats.tables import Part, files_with, folders_in
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import PictureCopier, refuse_outside
from leyenda.data.split_names import split_of_file, split_of_folder
from leyenda.data.unpacked import unpacked
from leyenda.errors import DataError
from leyenda.images.names import is_picture
from leyenda.records import Origin

TEXT_ENDINGS = (".txt", ".caption")
ENDINGS = (*TEXT_ENDINGS, ".json")
SHARD_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
SHARD_BYTES = 256 << 20

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def expand_braces(pattern: str) -> list[str]:
    """The names that a brace pattern means.

    Raises:
        DataError: a range runs backwards.

    >>> expand_braces("shard-{008..010}.tar")
    ['shard-008.tar', 'shard-009.tar', 'shard-010.tar']
    >>> expand_braces("{train,test}.tar")
    ['train.tar', 'test.tar']
    """
    pieces = _BRACES.split(pattern)
    choices = [[piece] if index % 2 == 0 else _choices(piece, pattern) for index, piece in enumerate(pieces)]
    return ["".join(chosen) for chosen in product(*choices)]


def _choices(inside: str, pattern: str) -> list[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        return inside.split(",")
    first, last = found.groups()
    if int(first) > int(last):
        raise DataError(f"The range {{{inside}}} in {pattern!r} runs backwards.")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def _parts(source: str) -> list[Part]:
    path = Path(source)
    if path.is_file():
        return [Part(path)]
    if path.is_dir():
        return shards_in(path)
    files = [Path(name) for name in expand_braces(source)]
    missing = next((file for file in files if not file.is_file()), None)
    if missing:
        raise DataError(f"There is no shard {str(missing)!r}, which {source!r} names.")
    return [Part(file, split_of_file(file.stem)) for file in files]


def shards_in(folder: Path) -> list[Part]:
    """The tar files of a folder, and of its folders that are named as splits."""
    parts = [Part(file, split_of_file(file.stem)) for file in files_with(folder, SHARD_ENDINGS)]
    for below in folders_in(folder):
        split = split_of_folder(below.name)
        if split:
            parts += [Part(file, split) for file in files_with(below, SHARD_ENDINGS)]
    return parts


def _detect(source: Path) -> bool:
    if source.is_file():
        return source.name.lower().endswith(SHARD_ENDINGS)
    return bool(shards_in(source))


def is_shard_pattern(source: str) -> bool:
    """Whether a text is a brace pattern of shards."""
    return source.endswith(SHARD_ENDINGS) and bool(_BRACES.search(source))


def _read(source: str, options: ReadOptions) -> Examples:
    parts = _parts(source)
    if not parts:
        raise DataError(f"{source} holds no .tar file.")
    rows = chain.from_iterable(_shard_rows(part, options.caption_column) for part in parts)
    # Pictures in a tar cannot lie outside of it, so that there is no folder that they could leave.
    return Examples(gather(rows))


def _members(shard: Path, path: Path) -> dict[str, tarfile.TarInfo]:
    """The files in a shard, by name; `path` is the plain tar that it was unpacked to, or the shard itself."""
    members: dict[str, tarfile.TarInfo] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if not member.isfile():
                    continue
                if name in members:
                    raise DataError(f"{shard} holds two files named {name!r}.", "Give each its own name.")
                members[name] = member
    except tarfile.TarError as error:
        raise DataError(f"{shard} is not a whole tar file: {error}.", "Copy or download it again.") from error
    except OSError as error:
        raise DataError(f"{shard} cannot be read: {error.strerror}.") from error
    return members


def _shard_rows(part: Part, ending: str | None) -> Iterator[Row]:
    tar = unpacked(part.file)
    members = _members(part.file, tar)
    path, shard = abspath(tar), str(part.file)
    # A picture with its address and size in .json and its caption in .txt is usual: text goes first.
    texts = captions_beside(members, TEXT_ENDINGS, ending, shard) if ending != "json" else {}
    objects = captions_beside(members, (".json",), None, shard) if ending in (None, "json") else {}
    with open(tar, "rb") as file:
        for name, member in members.items():
            if not is_picture(name):
                continue
            beside = texts.get(name) or objects.get(name)
            captions, lines = (
                ([], []) if beside is None else _captions(file, members[beside], f"{shard}/{beside}")
            )
            yield Row(
                name,
                captions,
                part.split,
                path,
                member.offset_data,
                member.size,
                f"{shard}/{beside or name}",
                lines[0] if lines else 0,
                lines,
            )


def _captions(file: Any, member: tarfile.TarInfo, where: str) -> tuple[list[str], list[int]]:
    file.seek(member.offset_data)
    try:
        text = file.read(member.size).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: byte {error.start} is not UTF-8.") from error
    if not where.endswith(".json"):
        return captions_in_lines(text)
    value = json_value(text, where)
    key = next((key for key in CAPTION_COLUMNS if isinstance(value, dict) and key in value), None)
    captions = [] if key is None else captions_in_cell(value[key], Origin(where))
    return captions, [1] * len(captions)


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    for split in (None, *examples.splits()):
        if split is not None and split not in FIRST_SPLITS:
            raise DataError(
                f"Tar shards cannot say the split {split!r}.", "Write another format, such as jsonl."
            )
        part = examples.select(index for index, example in enumerate(examples) if example.split == split)
        if len(part):
            _write_shards(part, folder, split or "data", pictures)


def _write_shards(examples: Examples, folder: Path, stem: str, pictures: PictureCopier) -> None:
    stems = caption_file_names(examples.ids())
    shard: tarfile.TarFile | None = None
    number = 0
    for example in examples:
        if shard is None or shard.offset > SHARD_BYTES:
            if shard is not None:
                shard.close()
            shard = tarfile.open(folder / f"{stem}-{number:06}.tar", "x", format=tarfile.PAX_FORMAT)  # noqa: SIM115
            number += 1
        refuse_outside(example.id)
        ending, captions = _caption_member(example.captions)
        _add(shard, example.id, pictures.bytes_of(example))
        _add(shard, stems[example.id] + ending, captions)
    if shard is not None:
        shard.close()


def _caption_member(captions: tuple[str, ...]) -> tuple[str, bytes]:
    if captions and all(caption and "\n" not in caption for caption in captions):
        return ".txt", "".join(f"{caption}\n" for caption in captions).encode()
    return ".json", json.dumps({"captions": list(captions)}, ensure_ascii=False).encode()


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    shard.addfile(member, io.BytesIO(data))


WEBDATASET = Format(
    "webdataset",
    "a .tar shard, plain or compressed, a folder of them, or a pattern such as shard-{000..010}.tar",
    _detect,
    _read,
    _write,
    uses=frozenset({"caption_column"}),
    claims=is_shard_pattern,
)
