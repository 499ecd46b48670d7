"""Karpathy's split file (`dataset_flickr8k.json`, `dataset_coco.json`): images with their sentences and splits.

The format comes with Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions" (2015).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from os.path import join
from pathlib import Path
from typing import Any

from leyenda.data.columns import split_in_cell
from leyenda.data.examples import Examples
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.json_lines import parse_json
from leyenda.data.formats.tables import files_with
from leyenda.data.gather import Row, gather
from leyenda.data.pictures import NAMES_TRIED, PictureCopier, picture_root, write_new
from leyenda.data.text_lines import head_of
from leyenda.errors import DataError
from leyenda.records import Origin

_KEYS = re.compile(r'"(?:sentids|sentences)"\s*:')


def _files(source: Path) -> list[Path]:
    files = [source] if source.is_file() else files_with(source, (".json",))
    return [file for file in files if file.name.lower().endswith(".json") and _looks_right(head_of(file))]


def _looks_right(head: str) -> bool:
    return head.lstrip()[:1] == "{" and bool(_KEYS.search(head))


def _detect(source: Path) -> bool:
    return bool(_files(source))


def _read(source: str, options: ReadOptions) -> Examples:
    given = Path(source)
    files = [given] if given.is_file() else _files(given)
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise DataError(f"{source}: needs one Karpathy split file, found {found}.", "Give the path of one.")
    images = _images(files[0])
    names = [_name(image, files[0], number) for number, image in enumerate(images[:NAMES_TRIED], 1)]
    root = picture_root(files[0], names, options.image_root)
    return Examples(gather(_rows(files[0], root, images)), root)


def _images(path: Path) -> list[Any]:
    value = parse_json(path)
    images = value.get("images") if isinstance(value, dict) else None
    if not isinstance(images, list):
        raise DataError(f"{path} is no Karpathy split file: it needs a list 'images' with 'sentences'.")
    return images


def _rows(path: Path, root: str, images: list[Any]) -> Iterator[Row]:
    for number, image in enumerate(images, 1):
        name = _name(image, path, number)
        sentences = image.get("sentences")
        texts = [_raw(sentence) for sentence in sentences] if isinstance(sentences, list) else [None]
        captions = [text for text in texts if text is not None]
        if len(captions) < len(texts):
            raise DataError(f"{path}: entry {number} of 'images' has no 'sentences' with 'raw' text.")
        # The authors' fourth split is what is left of COCO's validation images; the field trains on it.
        named = "train" if image.get("split") == "restval" else image.get("split")
        split = split_in_cell(named, Origin(str(path), number))
        yield Row(name, captions, split, join(root, name), 0, None, str(path), number)


def _name(image: Any, path: Path, number: int) -> str:
    name = image.get("filename") if isinstance(image, dict) else None
    if not isinstance(name, str) or not name:
        raise DataError(f"{path}: entry {number} of 'images' has no 'filename'.")
    folder = image.get("filepath") or ""
    return f"{folder}/{name}" if folder else name


def _raw(sentence: Any) -> str | None:
    raw = sentence.get("raw") if isinstance(sentence, dict) else None
    return raw if isinstance(raw, str) else None


def _write(examples: Examples, folder: Path, pictures: PictureCopier) -> None:
    images: list[dict[str, object]] = []
    sentence_id = 0
    for image_id, example in enumerate(examples):
        below, _, name = example.id.rpartition("/")
        sentences = [
            {
                "raw": caption,
                "tokens": re.findall(r"\w+", caption.lower()),
                "imgid": image_id,
                "sentid": sentence_id + index,
            }
            for index, caption in enumerate(example.captions)
        ]
        sentence_id += len(sentences)
        images.append(
            ({"filepath": below} if below else {})
            | {
                "filename": name,
                "imgid": image_id,
                "split": "val" if example.split == "validation" else example.split,
                "sentids": [sentence["sentid"] for sentence in sentences],
                "sentences": sentences,
            }
        )
        pictures.put(example, below="images")
    write_new(
        folder / "dataset.json", json.dumps({"images": images, "dataset": "leyenda"}, ensure_ascii=False)
    )


KARPATHY = Format(
    "karpathy",
    "a Karpathy split .json file (images with sentences and splits)",
    _detect,
    _read,
    _write,
    uses=frozenset({"image_root"}),
)
