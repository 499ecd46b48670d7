"""What both sides work on: a GIT model of random weights, pictures, and captions of about twelve tokens."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

GUIDE_CAPTION_TOKENS = 512
"""`microsoft/git-base`'s tokenizer pads to this many with `padding="max_length"`."""

NEW_TOKENS = 12
"""Tokens of a generated caption. Random weights hardly ever end one, so both sides write all of them."""

_FINEST, _COARSER = 6.0, 1.35
"""Strength of a photograph's noise from pixel to pixel, of 255, and how much stronger each doubling of size is."""

_DRAWINGS = 48
"""Different pictures; a longer list repeats their bytes under other names."""


@dataclass(frozen=True)
class Scale:
    """How large the work is.

    Args:
        model: a name in `leyenda.models.SIZES`.
        vocabulary: entries of the tokenizer.
        padding: tokens to which the guide pads.
        quick: whether this is a trial whose figures mean nothing.
    """

    model: str
    vocabulary: int
    padding: int
    quick: bool

    def of(self, full: int, quick: int) -> int:
        """A count: the first for real, the second in a trial."""
        return quick if self.quick else full


FULL = Scale("base", 30_522, GUIDE_CAPTION_TOKENS, quick=False)
QUICK = Scale("tiny", 900, 48, quick=True)


def write_model(folder: Path, scale: Scale) -> Path:
    """A checkpoint shaped as `microsoft/git-base`, with random weights and a tokenizer as large as its."""
    from transformers import BertTokenizer

    from leyenda import models
    from leyenda.models.tokenizer import train_tokenizer

    small = train_tokenizer(
        [caption for number in range(400) for caption in captions(number, 2)], scale.vocabulary
    )
    pieces = dict(small.get_vocab())
    for number in range(scale.vocabulary - len(pieces)):
        pieces[f"[unused{number}]"] = len(pieces)
    tokenizer = BertTokenizer(vocab=pieces, do_lower_case=False, strip_accents=False)
    model = models.create(scale.model, (), tokenizer=tokenizer, device="cpu")
    tokenizer.model_max_length = scale.padding
    model.save(folder)
    return folder


def captions(number: int, count: int) -> tuple[str, ...]:
    """Captions of the drawing of that number: 8 to 12 words, 10 to 14 tokens with those at both ends."""
    from leyenda.quickstart.creature_captions import captions_of

    told = captions_of(_creature(number), "en", random.Random(number))
    words = [caption.replace(",", "").replace(".", "").lower().split() for caption in told]
    joined = [words[one % len(words)] + words[(one + 1) % len(words)] * 2 for one in range(count)]
    return tuple(" ".join(told[: 8 + (number + one) % 5]) for one, told in enumerate(joined))


def _creature(number: int) -> Any:
    from leyenda.quickstart.creatures import sample

    return sample(random.Random(number), for_test=False)


def write_pictures(folder: Path, count: int, side: int = 480) -> list[Path]:
    """JPEG files of drawings, square."""
    from leyenda.quickstart.creature_drawing import draw_creature

    def draw(path: Path, number: int) -> None:
        picture = draw_creature(_creature(number), random.Random(number), size=side)
        picture.save(path, quality=90)

    return _write(folder, count, _DRAWINGS, draw)


def write_photographs(folder: Path, count: int, width: int = 4000, height: int = 3000) -> list[Path]:
    """JPEG files as large and as detailed as a telephone's photographs: noise at every scale, like nature's."""

    def draw(path: Path, number: int) -> None:
        photograph(number, width, height).save(path, quality=90)

    return _write(folder, count, 2, draw)


def photograph(number: int, width: int, height: int) -> Image.Image:
    """Coloured noise whose strength falls with its fineness, as that of natural pictures does."""
    chance = np.random.default_rng(number)
    total = np.zeros((height, width, 3), np.float32)
    strength, step = _FINEST, 1
    while step < width:
        cells = -(-height // step), -(-width // step)
        for channel in range(3):
            noise = strength * chance.standard_normal(cells, dtype=np.float32)
            layer = Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)
            total[..., channel] += np.asarray(layer)
        strength, step = strength * _COARSER, step * 2
    return Image.fromarray(np.clip(total + 128, 0, 255).astype(np.uint8))


def _write(folder: Path, count: int, different: int, draw: Callable[[Path, int], None]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        if number < different:
            draw(path, number)
        else:
            shutil.copyfile(paths[number % different], path)
    return paths


def write_data(folder: Path, count: int, captions_each: int = 1) -> Path:
    """A folder of pictures with `metadata.jsonl`, as `leyenda train` reads it."""
    paths = write_pictures(folder, count)
    lines = [
        json.dumps({"file_name": path.name, "captions": captions(number % _DRAWINGS, captions_each)})
        for number, path in enumerate(paths)
    ]
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def read_data(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each picture of `write_data` with its first caption."""
    for line in (folder / "metadata.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield folder / row["file_name"], row["captions"][0]
