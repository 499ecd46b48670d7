"""A working folder with pictures, and the command with a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leyenda.cli import main


def draw(path: Path, seed: int, size: tuple[int, int] = (60, 40)) -> Path:
    """A picture of its own, in coarse fields."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(fields).resize(size).save(path)
    return path


def lines_of(path: Path) -> list[dict[str, object]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def stop_at_batch(monkeypatch, number):
    """The model is interrupted at that batch."""
    from leyenda.models import CaptioningModel

    generate, calls = CaptioningModel.generate, []

    def stopped(self, *arguments, **named):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        return generate(self, *arguments, **named)

    monkeypatch.setattr(CaptioningModel, "generate", stopped)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(here):
    """A folder of six pictures, two of them below."""
    for number, name in enumerate(["a.png", "b.jpg", "c.png", "deep/d.png", "deep/e.webp", "f.png"]):
        draw(here / "photos" / name, number)
    return here / "photos"


@pytest.fixture
def caption(tiny_checkpoint, here, capsys):
    """A function: arguments -> exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        options = [
            "--model",
            str(tiny_checkpoint),
            "--device",
            "cpu",
            "--max-length",
            "6",
            "--batch-size",
            "2",
        ]
        if "--undo" in arguments:
            options = []
        code = main(["caption", *options, *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
