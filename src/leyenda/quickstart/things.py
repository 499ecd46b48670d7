"""Things to hold, drawn upwards from (0, 0)."""

from __future__ import annotations

import math
from collections.abc import Callable

from leyenda.quickstart.pen import INK, Pen

THINGS = ("balloon", "umbrella", "flower", "ice cream", "flag", "book", "star", "fish")

_WOOD = (150, 100, 60)


def draw_thing(pen: Pen, thing: str) -> None:
    """Draw a thing (one of `THINGS`), about 25 units high."""
    _DRAWN[thing](pen)


def _balloon(pen: Pen) -> None:
    pen.stroke([(0, 0), (1.5, -6), (0, -12)], INK, 0.8)
    pen.polygon([(-2, -11), (0, -14), (2, -11)], (214, 40, 70), outline=0.8)
    pen.ellipse(0, -21, 8, 9.5, (236, 58, 88))
    pen.ellipse(-3, -24.5, 1.8, 2.8, (255, 190, 200), outline=0)


def _umbrella(pen: Pen) -> None:
    pen.stroke([(3.5, 2), (2, 4.5), (0, 3), (0, -10), (0, -21)], _WOOD, 1.3, outline=0.4)
    dome = [
        (14 * math.cos(math.radians(a)), -12 + 12 * math.sin(math.radians(a))) for a in range(180, 361, 15)
    ]
    scallops = [(14, -12), (9.3, -14.5), (4.7, -12), (0, -14.5), (-4.7, -12), (-9.3, -14.5), (-14, -12)]
    pen.polygon([*dome, *scallops[1:-1]], (64, 110, 220))
    pen.polygon([(-4.7, -12), (0, -24), (4.7, -12), (0, -14.5)], (255, 255, 255), outline=0.7)


def _flower(pen: Pen) -> None:
    pen.stroke([(0, 3), (0.8, -6), (0, -14)], (60, 150, 70), 1.6, outline=0.4)
    pen.blob([(0.5, -4), (4, -8), (6.5, -7), (4, -4)], (80, 175, 85), outline=0.7)
    for step in range(6):
        angle = step * math.tau / 6
        pen.ellipse(5 * math.cos(angle), -18 + 5 * math.sin(angle), 3.6, 3.6, (255, 140, 200), outline=0.8)
    pen.ellipse(0, -18, 3.3, 3.3, (255, 214, 70), outline=0.8)


def _ice_cream(pen: Pen) -> None:
    pen.polygon([(-5, -7), (5, -7), (0, 6)], (232, 172, 96))
    pen.stroke([(-3, -4), (2, 0)], (190, 125, 60), 0.7)
    pen.stroke([(3, -4), (-2, 0)], (190, 125, 60), 0.7)
    pen.ellipse(-3.5, -10, 4.8, 4.5, (255, 236, 190))
    pen.ellipse(3.5, -10, 4.8, 4.5, (120, 72, 50))
    pen.ellipse(0, -15.5, 4.8, 4.6, (255, 150, 170))
    pen.ellipse(0, -20.5, 1.7, 1.7, (220, 30, 50), outline=0.7)


def _flag(pen: Pen) -> None:
    pen.stroke([(0, 4), (0, -26)], _WOOD, 1.6, outline=0.5)
    pen.polygon([(0.8, -26), (17, -25), (13, -19.5), (17, -14), (0.8, -15)], (40, 170, 100))
    pen.polygon(
        [(0.8, -22.5), (14.8, -21.8), (13.4, -19.5), (14.8, -17.3), (0.8, -18.5)], (255, 230, 90), outline=0
    )


def _book(pen: Pen) -> None:
    pen.polygon([(-11, -12), (0, -9.5), (11, -12), (11, 2), (0, 4.5), (-11, 2)], (120, 60, 40))
    pen.polygon([(-9.5, -13), (0, -10.5), (0, 2.5), (-9.5, 0)], (255, 250, 235), outline=0.8)
    pen.polygon([(9.5, -13), (0, -10.5), (0, 2.5), (9.5, 0)], (255, 250, 235), outline=0.8)
    for row in range(3):
        y = -9 + row * 3.2
        pen.stroke([(-8, y), (-2, y + 1.5)], (150, 145, 150), 0.8)
        pen.stroke([(8, y), (2, y + 1.5)], (150, 145, 150), 0.8)


def _star(pen: Pen) -> None:
    points = []
    for step in range(10):
        radius = 10.5 if step % 2 == 0 else 4.8
        angle = step * math.tau / 10 - math.pi / 2
        points.append((radius * math.cos(angle), -10 + radius * math.sin(angle)))
    pen.polygon(points, (255, 216, 50), outline=1.1)
    pen.ellipse(-2, -12, 1.5, 1.5, (255, 245, 180), outline=0)


def _fish(pen: Pen) -> None:
    fish = pen.at(0, -9, turn=-12)
    fish.polygon([(8, 0), (15, -6), (13, 0), (15, 6)], (40, 150, 190))
    fish.blob([(-12, 0), (-5, -6.5), (4, -5), (9, 0), (4, 5), (-5, 6.5)], (90, 200, 225))
    fish.stroke([(-4.5, -4.5), (-3, 0), (-4.5, 4.5)], INK, 0.8)
    fish.ellipse(-8, -1.5, 1.7, 1.7, (255, 255, 255), outline=0.5)
    fish.ellipse(-8.2, -1.5, 0.8, 0.8, INK, outline=0)
    fish.stroke([(1, -2), (2.5, 0), (1, 2)], (40, 150, 190), 0.8)


_DRAWN: dict[str, Callable[[Pen], None]] = {
    "balloon": _balloon,
    "umbrella": _umbrella,
    "flower": _flower,
    "ice cream": _ice_cream,
    "flag": _flag,
    "book": _book,
    "star": _star,
    "fish": _fish,
}
