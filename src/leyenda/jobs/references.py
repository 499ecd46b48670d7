"""What people wrote about pictures, from a predictions file, COCO captions, or any data source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os.path import join
from pathlib import Path
from typing import Any

from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS
from leyenda.data.formats.json_lines import open_json_lines, parse_json
from leyenda.data.load import load_examples
from leyenda.data.pictures import picture_root
from leyenda.data.splits import assign_splits
from leyenda.data.text_lines import head_of
from leyenda.errors import ScoreError
from leyenda.jobs.predictions_file import picture_name, place, texts
from leyenda.records import ImageSource

EVERYTHING = "all"
"""Name of the split that is the whole source."""


@dataclass(frozen=True)
class Reference:
    """What people wrote about one picture.

    Args:
        id: the picture's name.
        captions: at least one.
        image: where the picture lies, if it is known.
        number: the picture's number in COCO's files, by which COCO results name it.
    """

    id: str
    captions: tuple[str, ...]
    image: ImageSource | None = None
    number: str | None = None


@dataclass(frozen=True)
class References:
    """References of many pictures.

    Args:
        source: where they come from, for messages.
        pictures: one for each picture that has a caption.
        candidates: captions among which the best constant one may be looked for; empty: the references themselves.
    """

    source: str
    pictures: tuple[Reference, ...]
    candidates: tuple[str, ...] = ()


def read_references(source: str | Path | Examples, *, split: str = EVERYTHING, **reading: Any) -> References:
    """Read references.

    Args:
        source: JSON lines or a JSON list of `{"image": ..., "references": [...]}`, a COCO captions file, or anything
            that `leyenda.data.load_examples` reads.
        split: the part to take, or `all`. A source without splits is divided as `leyenda evaluate` does unless told
            otherwise.
        reading: more arguments of `load_examples`; with any of them the source is read by it.

    Raises:
        ScoreError: an entry lacks what it needs, a picture stands there twice, or there are no references.
        DataError: the source cannot be read.
    """
    given = {name: value for name, value in reading.items() if value}
    path = None if isinstance(source, Examples) else Path(source).expanduser()
    if (
        path is not None
        and path.is_file()
        and split == EVERYTHING
        and not given.keys() - {"token", "image_root"}
    ):
        root = Path(given["image_root"]) if "image_root" in given else None
        if _has_references(path):
            return _checked(str(path), _with_pictures(_from_lines(path), path, root))
        if FORMATS["coco"].detect(path):
            return _checked(str(path), _with_pictures(_from_coco(path), path, root))
    examples = load_examples(source, **given)
    if split == EVERYTHING:
        return _checked(str(source), _from_examples(examples))
    examples = assign_splits(examples)
    return _checked(
        f"{source} (split {split})", _from_examples(examples.split(split)), other_captions(examples, split)
    )


def _with_pictures(pictures: Iterable[Reference], file: Path, given: Path | None) -> list[Reference]:
    """The same, each with its picture: in the folder that is given, or in one beside the file."""
    listed = list(pictures)
    root = picture_root(file, (each.id for each in listed if "://" not in each.id), given)
    return [replace(each, image=ImageSource(join(root, each.id))) for each in listed]


def other_captions(examples: Examples, split: str) -> list[str]:
    """Captions of the training split, so that the constant control is chosen without looking at what is scored."""
    if split == EVERYTHING or "train" not in examples.splits() or split == "train":
        return []
    return [caption for example in examples.split("train") for caption in example.captions if caption]


def _checked(source: str, pictures: Iterable[Reference], candidates: Iterable[str] = ()) -> References:
    spoken = tuple(each for each in pictures if each.captions)
    if not spoken:
        raise ScoreError(
            f"{source} holds no references.", "Name a file or source whose pictures have captions."
        )
    return References(source, spoken, tuple(candidates))


def _from_examples(examples: Examples) -> Iterable[Reference]:
    for example in examples:
        yield Reference(example.id, tuple(caption for caption in example.captions if caption), example.image)


def _has_references(path: Path) -> bool:
    """Whether the first entry of a JSON file has a list of that name."""
    if path.suffix.lower() not in (".json", ".jsonl", ".ndjson"):
        return False
    head = head_of(path).lstrip()
    if path.suffix.lower() == ".json" and head[:1] != "[":
        return False
    start = head.find("{")
    try:
        first, _ = json.JSONDecoder().raw_decode(head[start:]) if start >= 0 else (None, 0)
    except json.JSONDecodeError:
        return False
    return (isinstance(first, dict) and "references" in first) or _is_error(first)


def _is_error(first: Any) -> bool:
    return isinstance(first, dict) and "error" in first and "caption" not in first


def _from_lines(path: Path) -> Iterable[Reference]:
    lines: dict[str, int] = {}
    for line, row in open_json_lines(path).rows:
        origin = place(path, line)
        name = picture_name(row, origin)
        if name in lines:
            raise ScoreError(
                f"{origin}: {name!r} stands there twice (first: {place(path, lines[name])}).",
                "Write all its references in one list.",
            )
        lines[name] = line
        if "references" not in row and not _is_error(row):
            raise ScoreError(
                f"{origin}: {name!r} has no 'references'.", 'Write "references": ["...", "..."].'
            )
        yield Reference(name, texts(row.get("references", []), "the references", origin))


def _from_coco(path: Path) -> Iterable[Reference]:
    """COCO results name pictures by number; so do captions files, and most of them give the file's name as well."""
    value = parse_json(path)
    annotations = _listed(value, "annotations", path)
    captions: dict[str, list[str]] = {}
    for number, each in enumerate(annotations, 1):
        about, caption = each.get("image_id"), each.get("caption")
        if about is None or not isinstance(caption, str):
            raise ScoreError(
                f"{path}: entry {number} of 'annotations' has no {'caption' if about is not None else 'image_id'!r}.",
                "Is it a COCO *captions* file?",
            )
        captions.setdefault(str(about), []).append(caption)
    names = {
        str(each.get("id")): each.get("file_name") for each in _listed(value, "images", path, needed=False)
    }
    taken = Counter(name for name in names.values() if name)
    for about, said in captions.items():
        name = str(names.get(about) or about)
        if taken[name] > 1:
            raise ScoreError(
                f"{path}: two entries of 'images' have the name {name!r}.", "Name each picture once."
            )
        yield Reference(name, tuple(text for text in said if text.strip()), number=about)


def _listed(value: Any, key: str, path: Path, *, needed: bool = True) -> list[Mapping[str, Any]]:
    entries = value.get(key, None if needed else [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ScoreError(
            f"{path} is no COCO captions file: {key!r} is no list of objects.", "Check the file."
        )
    return entries
