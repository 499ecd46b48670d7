"""The grid shows what it should, whole."""

import logging

import numpy as np
import pytest
from PIL import Image, ImageFont

from leyenda.data import grid
from leyenda.data.examples import Examples
from leyenda.data.grid import draw_grid
from leyenda.errors import DataError, DiskError
from leyenda.records import Example, ImageSource

COLOURS = [(220, 20, 20), (20, 160, 20), (20, 20, 220), (200, 200, 0), (0, 200, 200)]


@pytest.fixture
def examples(tmp_path) -> Examples:
    rows = []
    for number, colour in enumerate(COLOURS):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (60, 40), colour).save(path)
        rows.append(Example(path.name, ImageSource(str(path)), ("un niño está aquí",)))
    return Examples.from_rows(rows)


def colours_of(path) -> set[tuple[int, ...]]:
    counted = Image.open(path).convert("RGB").getcolors(1 << 24)
    return {colour for count, colour in counted if count > 5000}


def test_every_picture_is_there(examples, tmp_path):
    path = draw_grid(examples, tmp_path / "grid.png", pictures=9, columns=2)
    assert set(COLOURS) <= colours_of(path)
    assert Image.open(path).format == "PNG"
    assert not list(tmp_path.glob(".*"))


def test_so_many_pictures_in_so_many_columns(examples, tmp_path):
    one = Image.open(draw_grid(examples, tmp_path / "one.png", pictures=1))
    row = Image.open(draw_grid(examples, tmp_path / "row.png", pictures=3, columns=3))
    stack = Image.open(draw_grid(examples, tmp_path / "stack.png", pictures=3, columns=1))
    assert row.height == one.height
    assert stack.width == one.width
    assert row.width > 2.8 * one.width
    assert stack.height > 2.8 * one.height
    assert len(set(COLOURS) & colours_of(tmp_path / "row.png")) == 3


def test_the_seed_decides_which(examples, tmp_path):
    def drawn(seed):
        path = draw_grid(examples, tmp_path / f"grid-{seed}.png", pictures=2, seed=seed)
        return path.read_bytes()

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_a_long_caption_makes_the_sheet_longer_and_is_not_cut(examples, tmp_path, monkeypatch):
    words = [f"palabra{number}" for number in range(80)] + ["x" * 400]
    long = Examples.from_rows([Example("a", examples[0].image, (" ".join(words),))])
    written = []
    original = grid._write_captions

    def watch(draw, cell, *rest):
        written.extend(line for _, line in cell.lines)
        original(draw, cell, *rest)

    monkeypatch.setattr(grid, "_write_captions", watch)
    path = draw_grid(long, tmp_path / "long.png")
    assert "".join(written).replace(" ", "") == "".join(words)
    font = ImageFont.load_default(grid._TEXT_SIZE)
    assert all(font.getlength(line) <= 330 for line in written)
    picture = np.asarray(Image.open(path).convert("L"))
    assert picture.shape[0] > 80 * 22 / 4
    # White all round: nothing reaches an edge.
    for edge in (picture[:10], picture[-10:], picture[:, :10], picture[:, -10:]):
        assert (edge == 255).all()


def test_a_lone_full_stop_stays_with_its_word():
    font = grid._font_for("abc")
    width = font.getlength("a dog runs")
    assert grid._wrap("a dog runs .", font, int(width) + 1) == ["a dog", "runs ."]


def test_spanish_is_drawn_as_letters():
    text = "áéíóúüñÁÉÍÓÚÜÑ¿¡"
    assert grid._missing(grid._font_for(text), text) == ""


def test_letters_that_no_font_has_are_said(examples, tmp_path, caplog):
    odd = Examples.from_rows([Example("a", examples[0].image, ("a \ue123 sign",))])
    with caplog.at_level(logging.WARNING):
        draw_grid(odd, tmp_path / "odd.png")
    assert "\ue123" in caplog.text
    caplog.clear()
    draw_grid(examples, tmp_path / "even.png")
    assert caplog.text == ""


def test_a_broken_picture_has_its_reason_in_its_place(examples, tmp_path):
    (tmp_path / "0.png").write_bytes(b"")
    path = draw_grid(examples, tmp_path / "grid.png")
    assert set(COLOURS[1:]) <= colours_of(path)
    assert (238, 238, 238) in colours_of(path)  # the grey box


def test_no_captions(examples, tmp_path):
    rows = [Example("a", examples[0].image, ()), Example("b", examples[1].image, ("",))]
    assert draw_grid(Examples.from_rows(rows), tmp_path / "grid.png").exists()


def test_refusals(examples, tmp_path):
    for how in ({"pictures": 0}, {"columns": 0}, {"pictures": -3}):
        with pytest.raises(DataError, match="at least 1"):
            draw_grid(examples, tmp_path / "grid.png", **how)
    with pytest.raises(DataError, match="no pictures"):
        draw_grid(Examples.from_rows([]), tmp_path / "grid.png")
    with pytest.raises(DiskError, match="cannot be written"):
        draw_grid(examples, tmp_path / "none" / "grid.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DiskError, match="cannot be written"):
        draw_grid(examples, tmp_path / "folder.png")
    with pytest.raises(DataError, match=r"Name it FILE\.png"):
        draw_grid(examples, tmp_path / "grid.jpg")
    assert not (tmp_path / "grid.png").exists()
