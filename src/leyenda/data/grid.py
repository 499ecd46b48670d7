"""A few pictures under their captions, as one PNG to look at."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from leyenda.data.examples import Examples
from leyenda.errors import DataError, DiskError, ImageError
from leyenda.images import open_picture
from leyenda.records import Example

_log = logging.getLogger(__name__)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CELL = 300
_GAP = 20
_ROW_GAP = 36
_TEXT_SIZE = 16
_LINE = 22
_CAPTION_GAP = 8
_BULLET_INDENT = 14

_PAPER, _INK, _PALE, _BOX = "#ffffff", "#222222", "#777777", "#eeeeee"

_NOT_A_CHARACTER = "\U0010ffff"
_WIDER_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "Arial.ttf",
)


@dataclass(frozen=True, slots=True)
class _Cell:
    picture: Image.Image
    lines: tuple[tuple[bool, str], ...]
    """Whether a caption starts here, and the words of the line."""

    @property
    def height(self) -> int:
        starts = sum(first for first, _ in self.lines)
        return self.picture.height + _CAPTION_GAP * (starts + 1) + _LINE * len(self.lines)


def draw_grid(
    examples: Examples, path: str | os.PathLike[str], *, pictures: int = 12, columns: int = 4, seed: int = 0
) -> Path:
    """Draw some pictures with all their captions, wrapped and never cut, into a PNG file.

    Args:
        examples: where the pictures are drawn from.
        path: the PNG to write; it appears whole or not at all.
        pictures: how many; all of them when there are fewer.
        columns: pictures in a row.
        seed: another seed draws other pictures.

    Returns:
        The path written.

    Raises:
        DataError: there is nothing to draw, fewer than one picture or column is asked for, or the name is not a PNG's.
        DiskError: the file cannot be written.
    """
    if pictures < 1 or columns < 1:
        raise DataError(f"A grid needs at least 1 picture and 1 column, not {pictures} and {columns}.")
    if Path(path).suffix.lower() != ".png":
        raise DataError(f"The grid is a PNG picture, which {str(path)!r} does not say.", "Name it FILE.png.")
    if not len(examples):
        raise DataError("There are no pictures to draw.")
    chosen = examples.select(_drawn(len(examples), pictures, seed))
    font = _font_for("".join(caption for example in chosen for caption in (example.id, *example.captions)))
    cells = [_cell(example, font) for example in chosen]
    sheet = _sheet(cells, min(columns, len(cells)), font)
    return _write(sheet, Path(path))


def _drawn(images: int, pictures: int, seed: int) -> list[int]:
    randomness = random.Random(seed)  # noqa: S311 - decides what is shown, not what is secret
    return sorted(randomness.sample(range(images), min(pictures, images)))


def _cell(example: Example, font: Font) -> _Cell:
    lines: list[tuple[bool, str]] = []
    for caption in example.captions or ("(no caption)",):
        wrapped = _wrap(caption or "(empty caption)", font, _CELL - _BULLET_INDENT)
        lines.extend((number == 0, line) for number, line in enumerate(wrapped))
    return _Cell(_picture(example, font), tuple(lines))


def _picture(example: Example, font: Font) -> Image.Image:
    """The picture as large as a cell allows, or a grey box with the reason why it cannot be opened."""
    try:
        picture = open_picture(example.image)
    except ImageError as error:
        box = Image.new("RGB", (_CELL, _CELL * 2 // 3), _BOX)
        text = "\n".join(_wrap(f"{example.id}: {error.code}", font, _CELL - 2 * _GAP))
        ImageDraw.Draw(box).multiline_text((_GAP, _GAP), text, _PALE, font)
        return box
    scale = min(_CELL / picture.width, _CELL / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _sheet(cells: list[_Cell], columns: int, font: Font) -> Image.Image:
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    width = columns * (_CELL + _GAP) + _GAP
    sheet = Image.new("RGB", (width, sum(heights) + _ROW_GAP * (len(rows) - 1) + 2 * _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        # Pictures of one row stand on one line, so that their captions start at one height.
        base = top + max(cell.picture.height for cell in row)
        for column, cell in enumerate(row):
            left = _GAP + column * (_CELL + _GAP)
            sheet.paste(cell.picture, (left, base - cell.picture.height))
            _write_captions(draw, cell, left, base, font)
        top += height + _ROW_GAP
    return sheet


def _write_captions(draw: ImageDraw.ImageDraw, cell: _Cell, left: int, top: int, font: Font) -> None:
    for first, line in cell.lines:
        if first:
            top += _CAPTION_GAP
            middle = top + _LINE // 2 - 1
            draw.ellipse((left + 1, middle - 2, left + 5, middle + 2), fill=_PALE)
        draw.text((left + _BULLET_INDENT, top), line, _INK, font)
        top += _LINE


def _wrap(text: str, font: Font, width: int) -> list[str]:
    """Lines no wider than `width` pixels; a word that is wider by itself is broken."""
    lines = [""]
    for word in _pieces(_units(text), font, width):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line] or [""]


def _units(text: str) -> list[str]:
    """The words of a text; marks that stand alone (`a dog .`) stay with the word before them."""
    units: list[str] = []
    for word in text.split():
        if units and not any(character.isalnum() for character in word):
            units[-1] += f" {word}"
        else:
            units.append(word)
    return units


def _pieces(words: Iterable[str], font: Font, width: int) -> Iterable[str]:
    for word in words:
        piece = ""
        for character in word:
            if piece and font.getlength(piece + character) > width:
                yield piece
                piece = ""
            piece += character
        yield piece


def _font_for(text: str) -> Font:
    """The first font that has every character of the text; else the one that lacks the fewest.

    Pillow's own font has no accents, so wider ones are looked for, the one of matplotlib first.
    """
    characters = "".join(sorted({character for character in text if not character.isspace()}))
    best = min(_fonts(), key=lambda font: len(_missing(font, characters)))
    missing = _missing(best, characters)
    if missing:
        _log.warning(
            "No font found here has the characters %s; the grid shows boxes in their place. "
            'A font with most alphabets comes with: pip install "leyenda[train]"',
            " ".join(missing),
        )
    return best


@lru_cache(maxsize=1)
def _fonts() -> tuple[Font, ...]:
    found: list[Font] = [ImageFont.load_default(_TEXT_SIZE)]
    matplotlib = find_spec("matplotlib")  # it brings a font; found, not imported
    folders = (matplotlib.submodule_search_locations or ()) if matplotlib else ()
    beside = [f"{folder}/mpl-data/fonts/ttf/DejaVuSans.ttf" for folder in folders]
    for name in (*beside, *_WIDER_FONTS):
        try:
            found.append(ImageFont.truetype(name, _TEXT_SIZE))
        except OSError:
            continue  # not on this machine
    return tuple(found)


def _missing(font: Font, characters: str) -> str:
    box = bytes(font.getmask(_NOT_A_CHARACTER))
    return "".join(character for character in characters if bytes(font.getmask(character)) == box)


def _write(sheet: Image.Image, path: Path) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        sheet.save(temporary, "PNG")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DiskError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.", "Name another file."
        ) from error
    return path
