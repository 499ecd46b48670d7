"""The embedded data set: creatures and their captions, as an ordinary folder of pictures with metadata."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from leyenda.errors import DataError, LeyendaError
from leyenda.quickstart import scene_captions, scenes
from leyenda.quickstart.creature_captions import captions_of, check_language
from leyenda.quickstart.creature_drawing import draw_creature
from leyenda.quickstart.creatures import sample
from leyenda.quickstart.scene_drawing import draw_scene

TEST_SHARE = 1 / 9
VALIDATION_SHARE = 2 / 45

Drawn = tuple[Image.Image, tuple[str, ...]]


def write_dataset(folder: Path, *, language: str = "en", seed: int = 0, pictures: int = 900) -> Path:
    """Draw the creatures and write them as a folder that any imagefolder reader reads.

    `folder` gets `train/`, `validation/` and `test/`, each with PNG pictures (160 by 160 pixels) and a
    `metadata.jsonl` of lines `{"file_name": ..., "captions": [...]}`. The same arguments give the same bytes
    with the same version of Pillow. The test split shows only combinations of colour and place that the
    others never show.

    Args:
        folder: where to write; must not exist yet, or be empty.
        language: of the captions, `en` or `es`; the pictures are the same in both.
        seed: decides everything that is drawn and written.
        pictures: how many, all splits together; at least 9.

    Returns:
        The folder.

    Raises:
        LeyendaError: unknown language, or too few pictures.
        DataError: the folder holds files already, or cannot be written.
    """
    check_language(language)
    _check_size(pictures)
    names = _split_names(pictures)

    def draw(number: int) -> Drawn:
        choices = stream("creature", seed, number)
        creature = sample(choices, for_test=names[number] == "test")
        # Captions draw from a stream of their own, so that a language changes no picture.
        told = captions_of(creature, language, stream("captions", seed, number, language))
        return draw_creature(creature, choices), told

    return write_folder(folder, names, draw, stem="creature")


def write_scenes(folder: Path, *, seed: int = 0, pictures: int = 6000) -> Path:
    """Draw the toy scenes that the demo model first learns from, in the same form as `write_dataset`.

    Every picture (96 by 96 pixels) has two English and two Spanish captions. None shows a creature.

    Args:
        folder: where to write; must not exist yet, or be empty.
        seed: decides everything that is drawn and written.
        pictures: how many, all splits together; at least 9.

    Returns:
        The folder.

    Raises:
        LeyendaError: too few pictures.
        DataError: the folder holds files already, or cannot be written.
    """
    _check_size(pictures)

    def draw(number: int) -> Drawn:
        choices = stream("scene", seed, number)
        scene = scenes.sample(choices)
        return draw_scene(scene, choices), scene_captions.captions_of(scene, choices)

    held_out = max(1, min(200, pictures // 9))
    names = ["train"] * (pictures - 2 * held_out) + ["validation"] * held_out + ["test"] * held_out
    return write_folder(folder, names, draw, stem="scene")


def _check_size(pictures: int) -> None:
    if pictures < 9:
        raise LeyendaError(f"{pictures} pictures are too few for three splits.", "Ask for at least 9.")


def stream(*names: str | int) -> random.Random:
    """A source of random choices of its own for whatever is named.

    >>> stream("creature", 0, 1).random() == stream("creature", 0, 2).random()
    False
    """
    return random.Random(" ".join(map(str, names)))  # noqa: S311  drawings need no secrets


def _split_names(pictures: int) -> list[str]:
    test = max(1, round(pictures * TEST_SHARE))
    validation = max(1, round(pictures * VALIDATION_SHARE))
    return ["train"] * (pictures - test - validation) + ["validation"] * validation + ["test"] * test


def write_folder(folder: Path, splits: Iterable[str], draw: Callable[[int], Drawn], *, stem: str) -> Path:
    """Write drawn pictures and their captions under `folder`, one sub-folder a split.

    The folder appears whole: it is written beside its place and moved there at the end.

    Args:
        folder: where to write; must not exist yet, or be empty.
        splits: the split of every picture, in order.
        draw: makes the picture and the captions of a number, counted from 0.
        stem: how file names begin.

    Raises:
        DataError: the folder holds files already, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{str(folder)!r} exists already.", "Name another folder, or remove it first.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
            unfinished = Path(place, "data")
            _write_splits(unfinished, list(splits), draw, stem)
            unfinished.replace(folder)
    except OSError as error:
        raise DataError(
            f"Cannot write the drawings to {str(folder)!r}: {error.strerror or error}.",
            "Free some space or name another folder.",
        ) from error
    return folder


def _write_splits(folder: Path, splits: list[str], draw: Callable[[int], Drawn], stem: str) -> None:
    rows: dict[str, list[str]] = {split: [] for split in splits}
    for split in rows:
        (folder / split).mkdir(parents=True)
    digits = max(4, len(str(len(splits))))
    for number, split in enumerate(tqdm(splits, desc="drawing", unit="picture", disable=None)):
        picture, captions = draw(number)
        name = f"{stem}-{number + 1:0{digits}}.png"
        picture.save(folder / split / name, compress_level=3)
        rows[split].append(json.dumps({"file_name": name, "captions": captions}, ensure_ascii=False))
    for split, lines in rows.items():
        (folder / split / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
