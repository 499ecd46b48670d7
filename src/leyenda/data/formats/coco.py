"""COCO captions: a JSON file with `images` and `annotations`, the pictures in a folder beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from os.path import join
from pathlib import Path
from typing import Any

from leyenda.data.examples import FIRST_SPLITS, Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.json_lines import parse_json
from leyenda.data.formats.tables import Part, PartRows, files_with, refuse_unrelated
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import NAMES_TRIED, PictureCopier, picture_root, write_new
from leyenda.data.split_names import split_of_file
from leyenda.data.text_lines import head_of
from leyenda.errors import DataError

_KEYS = re.compile(r'"(?:images|annotations|licenses)"\s*:')
_KARPATHY = re.compile(r'"(?:sentids|sentences)"\s*:')


def _parts(source: Path) -> list[Part]:
    """The file itself, or the caption files of a folder and of its folder `annotations`."""
    if source.is_file():
        return [Part(source)]
    folders = [folder for folder in (source, source / "annotations") if folder.is_dir()]
    files = [
        file
        for folder in folders
        for file in files_with(folder, (".json",))
        if _looks_like_coco(head_of(file))
    ]
    # Beside the captions COCO ships the same images' outlines and key points.
    named = [file for file in files if "caption" in file.name.lower()]
    return [Part(file, split_of_file(file.stem)) for file in named or files]


def _looks_like_coco(head: str) -> bool:
    return head.lstrip()[:1] == "{" and bool(_KEYS.search(head)) and not _KARPATHY.search(head)


def _detect(source: Path) -> bool:
    if source.is_file():
        return source.name.lower().endswith(".json") and _looks_like_coco(head_of(source))
    return bool(_parts(source))


def _read(source: str, options: ReadOptions) -> Examples:
    parts = _parts(Path(source))
    refuse_unrelated(parts, source)
    read = [_part_rows(part, options) for part in parts]
    return Examples(gather(chain.from_iterable(part.rows for part in read)), read[0].root)


def _part_rows(part: Part, options: ReadOptions) -> PartRows:
    images, annotations = _lists(part.file)
    names = [_entry(image, "file_name", str, part.file, "images", 1) for image in images[:NAMES_TRIED]]
    root = picture_root(part.file, islice(names, NAMES_TRIED), options.image_root)
    return PartRows(root, _rows(part, root, images, annotations))


def _lists(path: Path) -> tuple[list[Any], list[Any]]:
    value = parse_json(path)
    lists = [value.get(key) if isinstance(value, dict) else None for key in ("images", "annotations")]
    if not all(isinstance(entries, list) for entries in lists):
        raise DataError(f"{path} is no COCO captions file: it needs the lists 'images' and 'annotations'.")
    return lists[0], lists[1]  # type: ignore[return-value]


def _rows(part: Part, root: str, images: list[Any], annotations: list[Any]) -> Iterator[Row]:
    path = part.file
    captions: dict[Any, list[tuple[str, int]]] = {}
    for number, image in enumerate(images, 1):
        key = _entry(image, "id", (int, str), path, "images", number)
        if key in captions:
            raise DataError(f"{path}: two entries of 'images' have the id {key!r}.")
        captions[key] = []
    for number, annotation in enumerate(annotations, 1):
        about = _entry(annotation, "image_id", (int, str), path, "annotations", number)
        caption = _entry(annotation, "caption", str, path, "annotations", number)
        if about not in captions:
            raise DataError(
                f"{path}: annotation {number} is about the image {about!r}, which 'images' lacks."
            )
        captions[about].append((caption, number))
    for number, image in enumerate(images, 1):
        name = _entry(image, "file_name", str, path, "images", number)
        said = captions[image["id"]]
        lines = [line for _, line in said]
        texts = [text for text, _ in said]
        where = lines[0] if lines else 0
        picture = join(root, name) if name else ""
        yield Row(name, texts, part.split, picture, 0, None, str(path), where, lines)


def _entry(entry: Any, key: str, kind: type | tuple[type, ...], path: Path, where: str, number: int) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        raise DataError(
            f"{path}: entry {number} of {where!r} has no {key!r}.", "Is it a COCO *captions* file?"
        )
    return value


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    (folder / "annotations").mkdir()
    for split in (None, *examples.splits()):
        if split is not None and split not in FIRST_SPLITS:
            raise DataError(
                f"COCO files cannot say the split {split!r}.", "Write another format, such as jsonl."
            )
        part = examples.select(index for index, example in enumerate(examples) if example.split == split)
        if len(part):
            name = f"captions_{split}.json" if split else "captions.json"
            write_new(folder / "annotations" / name, json.dumps(_document(part), ensure_ascii=False))
    for example in examples:
        pictures.put(example, below="images")


def _document(examples: Examples) -> dict[str, object]:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, example in enumerate(examples, 1):
        images.append({"id": number, "file_name": example.id})
        for caption in example.captions:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "caption": caption})
    return {"info": {}, "licenses": [], "images": images, "annotations": annotations}


COCO = Format(
    "coco",
    "a COCO captions .json file, or a folder with annotations/captions_*.json",
    _detect,
    _read,
    _write,
    uses=frozenset({"image_root"}),
)
