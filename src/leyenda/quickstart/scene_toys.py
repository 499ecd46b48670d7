"""The toys of the scenes, each about 30 units wide and high, standing on (0, 0) or hanging around it."""

from __future__ import annotations

from collections.abc import Callable

from leyenda.quickstart.faces import draw_face
from leyenda.quickstart.pen import INK, Colour, Pen, Point, shade


def draw_toy(
    pen: Pen, kind: str, colour: Colour, detail: Colour, pattern: str, mood: str | None = None
) -> None:
    """Draw a toy.

    Args:
        pen: its origin is where the toy stands, or the middle of one that flies.
        kind: one of `scenes.STANDING_KINDS` or `scenes.FLYING_KINDS`.
        colour: of most of it.
        detail: of its part that stands out, and of the pattern.
        pattern: one of `scenes.PATTERNS`.
        mood: of its face; None for none.
    """
    _TOYS[kind](pen, colour, detail)
    if pattern != "plain":
        x, y, half_width, half_height = _PATTERN_AREAS[kind]
        _draw_pattern(pen.at(x, y), pattern, detail, half_width, half_height)
    if mood is not None:
        x, y, zoom = _FACE_AREAS[kind]
        draw_face(pen.at(x, y, zoom=zoom), mood)


_FACE_AREAS = {
    "ball": (0, -15, 0.95),
    "cup": (0, -12, 0.85),
    "apple": (0, -13, 0.9),
    "hat": (0, -17, 0.75),
    "present": (0, -12, 0.95),
    "drum": (0, -11, 0.8),
    "teapot": (0, -11, 0.85),
    "bottle": (0, -12, 0.6),
    "bell": (0, -14, 0.75),
    "tree": (0, -25, 0.95),
    "lamp": (0, -27, 0.75),
}
"""Middle and zoom of the face on a toy that may have one."""

_PATTERN_AREAS = {
    "ball": (0, -14, 9, 9),
    "cup": (0, -10.5, 10, 7),
    "hat": (0, -15, 8, 4.5),
    "present": (0, -7, 11, 5),
    "drum": (0, -10, 13, 5),
    "teapot": (0, -10, 9, 6),
    "airship": (0, -3, 12, 5),
    "bottle": (0, -9, 6, 6),
    "bell": (0, -10, 8, 6),
    "kite": (0, -2, 6, 7),
}
"""Middle, half width and half height of the patch of a toy that stripes or spots cover."""


def _draw_pattern(pen: Pen, pattern: str, colour: Colour, half_width: float, half_height: float) -> None:
    for step in (-0.8, 0.0, 0.8):
        if pattern == "striped":
            x = step * half_width
            pen.polygon(box(x - 1.3, -half_height, 2.6, 2 * half_height), colour, outline=0)
        else:
            for row in (-0.65, 0.65):
                pen.ellipse(step * half_width, row * half_height, 1.9, 1.9, colour, outline=0)


def box(x: float, y: float, width: float, height: float) -> list[Point]:
    """Corners of a rectangle from its top left corner."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _wheels(pen: Pen, colour: Colour, *places: float, radius: float = 4.6) -> None:
    for x in places:
        pen.ellipse(x, -radius, radius, radius, colour)
        pen.ellipse(x, -radius, radius * 0.35, radius * 0.35, INK, outline=0)


def _car(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.blob([(-9, -13), (-6, -21), (5, -21), (10, -13)], colour)
    pen.polygon([(-6, -14), (-4, -19), (0, -19), (0, -14)], (205, 235, 250), outline=0.6)
    pen.polygon([(1.5, -14), (1.5, -19), (4.5, -19), (7, -14)], (205, 235, 250), outline=0.6)
    pen.polygon([(-17, -13), (15, -13), (18, -10), (18, -4), (-17, -4)], colour)
    _wheels(pen, detail, -9, 9, radius=5)


def _bus(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-19, -25, 38, 21), colour)
    for x in (-16, -7, 2, 11):
        pen.polygon(box(x, -22, 6.5, 7), (205, 235, 250), outline=0.7)
    _wheels(pen, detail, -11, 11, radius=5)


def _boat(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.stroke([(0, -9), (0, -31)], (140, 96, 60), 1.6, outline=0.4)
    pen.polygon([(1.5, -31), (15, -12), (1.5, -12)], detail)
    pen.polygon([(-1.5, -27), (-10, -12), (-1.5, -12)], detail)
    pen.polygon([(-18, -9), (18, -9), (12, 0), (-12, 0)], colour)


def _house(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-14, -18, 28, 18), colour)
    pen.polygon([(-18, -17), (0, -32), (18, -17)], detail)
    pen.polygon(box(-10, -10, 6.5, 10), (120, 85, 60), outline=0.7)
    pen.polygon(box(2.5, -13, 7, 6.5), (255, 240, 170), outline=0.7)


def _tower(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-8, -24, 16, 24), colour)
    for x in (-10, -2, 5):
        pen.polygon(box(x, -30, 5, 4), colour, outline=0.8)
    pen.polygon(box(-10, -27, 20, 4), colour)
    pen.polygon(box(-2.5, -8, 5, 8), INK, outline=0)
    pen.stroke([(0, -27), (0, -41)], INK, 1)
    pen.polygon([(0.5, -41), (11, -37.5), (0.5, -34)], detail)


def _ball(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.ellipse(0, -14, 14, 14, colour)
    pen.ellipse(0, -14, 5, 5, detail, outline=0.6)
    pen.at(-6, -21, turn=-40).ellipse(0, 0, 3, 1.4, shade(colour, 0.6), outline=0)


def _cup(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.stroke([(11, -17), (19, -17), (18, -7), (9, -5)], detail, 3, outline=0.8)
    pen.polygon([(-13, -22), (13, -22), (10, 0), (-10, 0)], colour)
    pen.ellipse(0, -22, 13, 2.6, shade(colour, -0.3), outline=0.8)


def _apple(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.blob(
        [
            (0, -20),
            (8, -23),
            (14, -15),
            (10, -4),
            (4, 0),
            (0, -1.5),
            (-4, 0),
            (-10, -4),
            (-14, -15),
            (-8, -23),
        ],
        colour,
    )
    pen.stroke([(0, -20), (1, -26)], (110, 72, 50), 1.8)
    pen.blob([(1, -24), (6, -31), (13, -30), (9, -24)], detail)
    pen.at(-7, -16, turn=-60).ellipse(0, 0, 3, 1.5, shade(colour, 0.6), outline=0)


def _chair(pen: Pen, colour: Colour, detail: Colour) -> None:
    for x in (-10, 8):
        pen.polygon(box(x, -14, 3, 14), colour, outline=0.8)
    pen.polygon(box(-12, -36, 4.5, 24), colour, outline=0.8)
    pen.polygon(box(-12, -15, 25, 4), colour, outline=0.8)
    pen.ellipse(2, -18, 10, 3.4, detail)


def _lamp(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-1.4, -22, 2.8, 20), detail, outline=0.8)
    pen.ellipse(0, -2, 9, 3, detail)
    pen.polygon([(-7, -36), (7, -36), (14, -19), (-14, -19)], colour)


def _hat(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.ellipse(0, -4, 19, 4.5, colour)
    pen.polygon([(-11, -5), (-10, -25), (10, -25), (11, -5)], colour)
    pen.polygon([(-11, -5.5), (-10.7, -10.5), (10.7, -10.5), (11, -5.5)], detail, outline=0.7)


def _clock(pen: Pen, colour: Colour, detail: Colour) -> None:
    for x in (-9, 9):
        pen.polygon([(x - 2, -4), (x + 2, -4), (x * 1.25, 1)], colour)
    pen.ellipse(0, -16, 15, 15, colour)
    pen.ellipse(0, -16, 11, 11, (255, 252, 240), outline=0.7)
    pen.stroke([(0, -16), (0, -25)], detail, 2.2)
    pen.stroke([(0, -16), (6.5, -13)], detail, 2.2)
    pen.ellipse(0, -16, 1.6, 1.6, INK, outline=0)


def _tree(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon([(-2.5, -18), (2.5, -18), (4, 0), (-4, 0)], detail)
    for x, y, radius in ((-8, -22, 8.5), (8, -22, 8.5), (0, -30, 9.5)):
        pen.ellipse(x, y, radius, radius, colour)
    pen.ellipse(0, -23.5, 9, 7, colour, outline=0)


def _present(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-14, -20, 28, 20), colour)
    pen.polygon(box(-2.5, -20, 5, 20), detail, outline=0.6)
    for side in (-1, 1):
        pen.blob([(0, -20), (side * 5, -28), (side * 11, -27), (side * 9, -21)], detail)


def _drum(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-16, -18, 32, 15), colour)
    pen.ellipse(0, -3, 16, 3.4, colour)
    pen.polygon(box(-15.4, -8, 30.8, 5), colour, outline=0)
    pen.ellipse(0, -18, 16, 4, (255, 250, 235))
    for side in (-1, 1):
        pen.stroke([(side * 2, -20), (side * 15, -31)], detail, 2.4, outline=0.7)


def _teapot(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.stroke([(-9, -15), (-18, -16), (-17, -5), (-9, -5)], colour, 2.8, outline=0.8)
    pen.polygon([(9, -8), (19, -19), (21, -16), (11, -2)], colour)
    pen.ellipse(0, -10, 13, 10.5, colour)
    pen.blob([(-8, -19), (0, -24), (8, -19)], detail)
    pen.ellipse(0, -25, 2.4, 2.4, detail)


def _windmill(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon([(-6, -24), (6, -24), (9, 0), (-9, 0)], colour)
    pen.polygon(box(-2.5, -7, 5, 7), INK, outline=0)
    for turn in (45, 135, 225, 315):
        pen.at(0, -25, turn=turn).polygon(box(-0.5, -17, 5.5, 15), detail, outline=0.8)
    pen.ellipse(0, -25, 2, 2, INK, outline=0)


def _bottle(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.blob(
        [(-3, -34), (3, -34), (3.5, -24), (8, -18), (8, -2), (0, 0), (-8, -2), (-8, -18), (-3.5, -24)], colour
    )
    pen.polygon(box(-3.6, -38, 7.2, 5), detail)


def _bell(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.ellipse(0, -2, 3.6, 3.6, detail)
    pen.polygon(
        [(-14, -3), (-10, -8), (-9, -18), (-5, -24), (0, -26), (5, -24), (9, -18), (10, -8), (14, -3)], colour
    )
    pen.ellipse(0, -28, 3, 2.6, detail)


def _candle(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon(box(-5, -24, 10, 22), colour)
    pen.ellipse(0, -2, 13, 3.2, detail)
    pen.blob([(-3, -28), (0, -37), (3, -28), (0, -25.5)], (255, 190, 40), outline=0.8)


def _kite(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.stroke([(0, 13), (4, 18), (-3, 22), (3, 28)], detail, 2.4, outline=0.6)
    pen.polygon([(0, -17), (12, -3), (0, 13), (-12, -3)], colour)


def _plane(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon([(-16, -2), (-21, -11), (-15, -11), (-9, -2)], detail)
    pen.blob([(-19, 0), (-8, -5), (10, -5), (19, 0), (10, 5), (-8, 4)], colour)
    pen.polygon([(-3, 1), (6, 1), (-3, 13), (-8, 13)], detail)
    for x in (-4, 2, 8):
        pen.ellipse(x, -1.8, 1.5, 1.5, (205, 235, 250), outline=0.5)


def _rocket(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.blob([(-3, 14), (0, 23), (3, 14)], (255, 180, 40), outline=0.7)
    for side in (-1, 1):
        pen.polygon([(side * 6, 2), (side * 13, 14), (side * 5, 12)], detail)
    pen.blob([(0, -20), (6.5, -9), (7, 4), (4.5, 13), (-4.5, 13), (-7, 4), (-6.5, -9)], colour)
    pen.ellipse(0, -5, 3.2, 3.2, (205, 235, 250))


def _airship(pen: Pen, colour: Colour, detail: Colour) -> None:
    pen.polygon([(-14, -4), (-23, -11), (-21, -3), (-23, 5)], detail)
    pen.ellipse(0, -3, 19, 8.5, colour)
    pen.polygon([(-7, 6), (8, 6), (5, 12), (-5, 12)], detail)


_TOYS: dict[str, Callable[[Pen, Colour, Colour], None]] = {
    "car": _car,
    "bus": _bus,
    "boat": _boat,
    "house": _house,
    "tower": _tower,
    "ball": _ball,
    "cup": _cup,
    "apple": _apple,
    "chair": _chair,
    "lamp": _lamp,
    "hat": _hat,
    "clock": _clock,
    "tree": _tree,
    "present": _present,
    "drum": _drum,
    "teapot": _teapot,
    "windmill": _windmill,
    "bottle": _bottle,
    "bell": _bell,
    "candle": _candle,
    "kite": _kite,
    "plane": _plane,
    "rocket": _rocket,
    "airship": _airship,
}
