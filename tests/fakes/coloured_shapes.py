"""A small data set to train on: one coloured shape a picture, two captions each."""

from __future__ import annotations

import json
import random
from pathlib import Path

from PIL import Image, ImageDraw


def write_coloured_shapes(folder: Path, pictures: int, second_caption: str) -> None:
    """Draw them, and write `metadata.jsonl`; always the same ones.

    Args:
        folder: is there and empty.
        pictures: how many.
        second_caption: with `{colour}` and `{shape}`; the first caption is `a {colour} {shape}`.
    """
    chance = random.Random(5)
    rows = []
    for number in range(pictures):
        colour = chance.choice(["red", "green", "blue", "yellow"])
        shape = chance.choice(["ellipse", "rectangle"])
        picture = Image.new("RGB", (48, 48), "white")
        getattr(ImageDraw.Draw(picture), shape)((8, 8, 40, 40), fill=colour)
        name = f"{number:02}.png"
        picture.save(folder / name)
        captions = [f"a {colour} {shape}", second_caption.format(colour=colour, shape=shape)]
        rows.append({"file_name": name, "captions": captions})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
