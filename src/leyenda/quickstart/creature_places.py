"""The places where creatures are met, each drawn a little differently every time."""

from __future__ import annotations

import random
from collections.abc import Callable

from leyenda.quickstart.pen import Colour, Pen, shade

GROUND = 66.0
"""Where the ground begins, in units from the top of the picture."""


def draw_place(pen: Pen, place: str, randomness: random.Random) -> None:
    """Fill the whole picture with a place (one of `creatures.PLACES`)."""
    _PLACES[place](pen, randomness)


def _sky(pen: Pen, top: Colour, bottom: Colour) -> None:
    bands = 12
    height = (GROUND + 6) / bands
    for band in range(bands):
        share = band / (bands - 1)
        colour = tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))
        pen.polygon(_box(-1, band * height - 0.5, 102, height + 1), colour, outline=0)  # type: ignore[arg-type]


def _box(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _hills(pen: Pen, colour: Colour, height: float, randomness: random.Random, bottom: float = 110.0) -> None:
    """A wavy band from `height` down."""
    crest = [(x, height + randomness.uniform(-3.5, 3.5)) for x in (-20, 0, 20, 40, 60, 80, 100, 120)]
    pen.blob([*crest, (130, bottom), (50, bottom + 6), (-30, bottom)], colour, outline=0)


def _cloud(pen: Pen, x: float, y: float, size: float) -> None:
    cloud = pen.at(x, y, zoom=size)
    for dx, dy, radius in ((-6, 1, 4.5), (0, -2, 6), (6, 1, 4.5)):
        cloud.ellipse(dx, dy, radius, radius * 0.8, (255, 255, 255), outline=0)
    cloud.polygon(_box(-8, 1, 16, 3.6), (255, 255, 255), outline=0)


def _sun(pen: Pen, randomness: random.Random) -> None:
    x, y = randomness.choice((12, 20, 80, 88)), randomness.uniform(11, 18)
    pen.ellipse(x, y, 11, 11, (255, 240, 170), outline=0)
    pen.ellipse(x, y, 8, 8, (255, 222, 89), outline=0)


def _beach(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (120, 205, 250), (205, 240, 252))
    _sun(pen, randomness)
    sea = randomness.uniform(44, 49)
    pen.polygon(_box(-2, sea, 104, 30), (38, 150, 205), outline=0)
    for row in range(3):
        for _ in range(4):
            x, y = randomness.uniform(0, 95), sea + 4 + row * 5
            pen.stroke([(x, y), (x + 3, y - 1), (x + 6, y)], (140, 215, 240), 0.9)
    _hills(pen, (250, 250, 245), GROUND - 2, randomness)
    _hills(pen, (246, 218, 150), GROUND + 1, randomness)
    for _ in range(3):
        shell = pen.at(randomness.uniform(4, 96), randomness.uniform(82, 96))
        shell.ellipse(0, 0, 1.8, 1.4, (240, 150, 140), outline=0.5)


def _forest(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (150, 205, 190), (205, 232, 200))
    for row, (base, size, green) in enumerate(((60, 0.8, (70, 130, 105)), (69, 1.15, (36, 100, 72)))):
        for step in range(7):
            x = step * 16 + row * 8 - 2 + randomness.uniform(-3, 3)
            _fir(pen.at(x, base, zoom=size * randomness.uniform(0.85, 1.15)), green)
    _hills(pen, (96, 140, 70), GROUND + 2, randomness)
    for _ in range(2):
        mushroom = pen.at(randomness.choice((8, 14, 86, 92)), randomness.uniform(84, 94))
        mushroom.polygon(_box(-1, 0, 2, 4), (250, 240, 220), outline=0.5)
        mushroom.blob([(-3.5, 0.5), (0, -4), (3.5, 0.5)], (150, 85, 60), outline=0.6)


def _fir(pen: Pen, green: Colour) -> None:
    pen.polygon(_box(-1.5, -6, 3, 10), (110, 78, 58), outline=0)
    for layer, (y, half) in enumerate(((-6, 10), (-17, 8), (-27, 6))):
        pen.polygon([(-half, y), (0, y - 17), (half, y)], shade(green, 0.06 * layer), outline=0)


def _snow(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (150, 170, 205), (205, 215, 232))
    for x in (randomness.uniform(-5, 20), randomness.uniform(40, 60), randomness.uniform(80, 105)):
        peak = randomness.uniform(20, 30)
        pen.polygon([(x - 26, 72), (x, peak), (x + 26, 72)], (132, 146, 180), outline=0)
        top = [(x - 7, peak + 12.5), (x, peak), (x + 7, peak + 12.5), (x + 3, peak + 10), (x, peak + 14)]
        pen.polygon(top, (248, 250, 255), outline=0)
    _hills(pen, (226, 234, 246), GROUND - 6, randomness)
    _hills(pen, (247, 250, 255), GROUND + 3, randomness)
    for _ in range(26):
        size = randomness.uniform(0.7, 1.4)
        pen.ellipse(
            randomness.uniform(0, 100), randomness.uniform(0, 62), size, size, (255, 255, 255), outline=0
        )


def _moon(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (24, 20, 58), (58, 46, 104))
    for _ in range(22):
        size = randomness.uniform(0.4, 0.9)
        pen.ellipse(
            randomness.uniform(0, 100), randomness.uniform(0, 60), size, size, (255, 250, 210), outline=0
        )
    earth = pen.at(randomness.choice((14, 20, 80, 86)), randomness.uniform(13, 18))
    earth.ellipse(0, 0, 8, 8, (70, 150, 225), outline=0)
    earth.blob([(-5, -4), (0, -5), (1, 0), (-4, 2)], (110, 190, 110), outline=0)
    earth.blob([(2, 1), (6, 0), (4, 5), (1, 5)], (110, 190, 110), outline=0)
    _hills(pen, (150, 150, 164), GROUND, randomness)
    for _ in range(6):
        x, y, size = randomness.uniform(0, 100), randomness.uniform(74, 97), randomness.uniform(2.5, 6)
        pen.ellipse(x, y, size, size * 0.4, (112, 112, 130), outline=0)
        pen.ellipse(x, y + 0.6, size * 0.85, size * 0.3, (128, 128, 145), outline=0)


def _meadow(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (130, 208, 255), (218, 244, 255))
    for _ in range(3):
        _cloud(pen, randomness.uniform(5, 95), randomness.uniform(8, 30), randomness.uniform(0.8, 1.3))
    _hills(pen, (150, 212, 110), GROUND - 8, randomness)
    _hills(pen, (112, 192, 82), GROUND + 2, randomness)
    for _ in range(12):
        x, y = randomness.uniform(2, 98), randomness.uniform(74, 97)
        petal = randomness.choice(((255, 255, 255), (255, 190, 210), (255, 236, 130)))
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            pen.ellipse(x + dx, y + dy, 0.9, 0.9, petal, outline=0)
        pen.ellipse(x, y, 0.6, 0.6, (245, 170, 50), outline=0)


def _desert(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (250, 190, 120), (255, 232, 180))
    _sun(pen, randomness)
    _hills(pen, (226, 150, 84), GROUND - 9, randomness)
    _hills(pen, (238, 178, 104), GROUND + 2, randomness)
    for x in (randomness.uniform(4, 16), randomness.uniform(84, 96)):
        _cactus(pen.at(x, GROUND + randomness.uniform(0, 8), zoom=randomness.uniform(0.9, 1.25)))


def _cactus(pen: Pen) -> None:
    green = (70, 140, 84)
    pen.stroke([(0, -6), (-7, -7), (-7, -15)], green, 4, outline=0.7)
    pen.stroke([(0, -10), (6, -11), (6, -18)], green, 4, outline=0.7)
    pen.stroke([(0, 0), (0, -24)], green, 5.5, outline=0.7)


def _city(pen: Pen, randomness: random.Random) -> None:
    _sky(pen, (190, 205, 225), (238, 228, 225))
    x = -3.0
    while x < 100:
        width, height = randomness.uniform(12, 18), randomness.uniform(24, 52)
        wall = randomness.choice(((150, 120, 120), (120, 130, 155), (170, 140, 115), (135, 115, 145)))
        pen.polygon(_box(x, GROUND + 4 - height, width, height + 4), wall, outline=0.8)
        for row in range(int(height // 9)):
            for column in range(2):
                left = x + 2.2 + column * (width - 4) / 2
                window = randomness.choice(((255, 236, 150), (90, 100, 130)))
                pen.polygon(
                    _box(left, GROUND + 7 - height + row * 9, width / 2 - 3.4, 4.6), window, outline=0
                )
        x += width
    pen.polygon(_box(-2, GROUND + 4, 104, 4), (200, 198, 196), outline=0)
    pen.polygon(_box(-2, GROUND + 8, 104, 40), (98, 100, 112), outline=0)
    for step in range(5):
        pen.polygon(_box(step * 24 - 4, 90, 12, 2), (240, 236, 220), outline=0)


_PLACES: dict[str, Callable[[Pen, random.Random], None]] = {
    "beach": _beach,
    "forest": _forest,
    "snow": _snow,
    "moon": _moon,
    "meadow": _meadow,
    "desert": _desert,
    "city": _city,
}
