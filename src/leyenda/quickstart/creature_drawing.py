"""From a creature to its picture: a bold cartoon whose every attribute is told apart at 96 pixels."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image

from leyenda.quickstart.creature_places import GROUND, draw_place
from leyenda.quickstart.creatures import Creature
from leyenda.quickstart.faces import draw_face
from leyenda.quickstart.pen import INK, Colour, Pen, Point, paint, shade, smooth
from leyenda.quickstart.things import draw_thing

PICTURE_SIZE = 160
"""Width and height of a picture, in pixels."""

_COLOURS: dict[str, Colour] = {
    "red": (226, 52, 48),
    "orange": (255, 143, 28),
    "yellow": (255, 220, 48),
    "green": (62, 176, 72),
    "blue": (52, 116, 232),
    "purple": (142, 68, 190),
    "pink": (255, 142, 190),
    "white": (250, 250, 250),
}


@dataclass(frozen=True)
class _Build:
    """A body's outline: half width and height, how square it is, how much wider its foot is than its top."""

    width: float
    height: float
    squareness: float = 2.0
    taper: float = 0.0

    def half_width(self, y: float) -> float:
        """Half the body's width at height `y` (0 is the middle, down is positive)."""
        rest = max(0.0, 1 - math.pow(abs(y / self.height), self.squareness))
        return self.width * math.pow(rest, 1 / self.squareness) * (1 + self.taper * y / self.height)

    def outline(self, scale: float = 1.0) -> list[Point]:
        points = []
        for step in range(24):
            angle = step * math.tau / 24
            x = _power(math.cos(angle), 2 / self.squareness) * self.width
            y = _power(math.sin(angle), 2 / self.squareness) * self.height
            points.append((scale * x * (1 + self.taper * y / self.height), scale * y))
        return points


def _power(value: float, exponent: float) -> float:
    return math.copysign(math.pow(abs(value), exponent), value)


_BUILDS = {
    "round": _Build(20, 19.5),
    "tall": _Build(14.5, 24.5, squareness=2.6),
    "square": _Build(18.5, 18.5, squareness=6.0),
    "plump": _Build(18, 21, squareness=2.2, taper=0.38),
}


def draw_creature(creature: Creature, randomness: random.Random, size: int = PICTURE_SIZE) -> Image.Image:
    """Draw a creature in its place.

    Args:
        creature: what to draw.
        randomness: decides what captions do not tell: where it stands, its size, the clouds, the trees.
        size: width and height in pixels.

    Returns:
        An RGB picture of `size` by `size` pixels.
    """

    def picture(pen: Pen) -> None:
        draw_place(pen, creature.place, randomness)
        _Figure(creature, randomness).draw(pen)

    return paint(size, picture)


class _Figure:
    """One creature on its ground."""

    def __init__(self, creature: Creature, randomness: random.Random) -> None:
        self.creature = creature
        self.build = _BUILDS[creature.body]
        self.colour = _COLOURS[creature.colour]
        self.accent = _COLOURS[creature.accent]
        self.randomness = randomness

    def draw(self, pen: Pen) -> None:
        """Shadow, then the body in its pose."""
        # Centred, as portraits are: few pictures are enough to learn from when things keep their place.
        x = self.randomness.uniform(48, 52)
        ground = GROUND + self.randomness.uniform(16, 18)
        feet = pen.at(x, ground, zoom=self.randomness.uniform(0.97, 1.03))
        self._draw_shadow(feet)
        getattr(self, f"_{self.creature.pose}")(feet)

    def _draw_shadow(self, feet: Pen) -> None:
        tone = (60, 58, 80) if self.creature.place == "moon" else (70, 90, 90)
        in_air = self.creature.pose in ("jumping", "flying")
        width = 13 if in_air else self.build.width + 3
        feet.ellipse(0, 5 if in_air else 0.5, width, 2.4, tone, outline=0)

    def _standing(self, feet: Pen) -> None:
        body = feet.at(0, -self.build.height - 7)
        self._draw_behind(body)
        for side in (-1, 1):
            self._leg(body, [(side * 7, self.build.height - 4), (side * 7, self.build.height + 5)])
        self._draw_front(body, arms_up=False)

    def _sitting(self, feet: Pen) -> None:
        body = feet.at(0, -self.build.height + 2)
        self._draw_behind(body)
        self._draw_front(body, arms_up=False)
        for side in (-1, 1):
            sole = body.at(side * 12, self.build.height - 1.5, turn=side * 14)
            sole.ellipse(0, 0, 6, 7, self.colour)
            sole.ellipse(0, 0.8, 3.4, 4, self.accent, outline=0.6)

    def _jumping(self, feet: Pen) -> None:
        body = feet.at(0, -self.build.height - 17)
        for side in (-1, 0, 1):
            feet.stroke([(side * 9, -7), (side * 9, -1)], (255, 255, 255), 1.8, outline=0.5)
        self._draw_behind(body)
        low = self.build.height
        for side in (-1, 1):
            self._leg(body, [(side * 7, low - 5), (side * 12, low + 1), (side * 14, low + 6)])
        self._draw_front(body, arms_up=True)

    def _flying(self, feet: Pen) -> None:
        body = feet.at(0, -self.build.height - 19, turn=24)
        for row in (-8, 2, 12):
            body.stroke([(-self.build.width - 22, row), (-self.build.width - 10, row)], (255, 255, 255), 1.6)
        self._draw_behind(body)
        low = self.build.height
        for side in (-1, 1):
            self._leg(body, [(side * 6, low - 4), (side * 6 - 3, low + 4), (side * 6 - 7, low + 6)])
        self._draw_front(body, arms_up=False)

    def _sleeping(self, feet: Pen) -> None:
        body = feet.at(0, -self.build.half_width(0) - 1, turn=-82)
        self._draw_behind(body)
        low = self.build.height
        for side in (-1, 1):
            self._leg(body, [(side * 6, low - 4), (side * 6, low + 4)])
        self._draw_front(body, arms_up=False)
        for x, y, zoom in ((-12, -44, 0.9), (-5, -53, 1.2), (4, -64, 1.55)):
            self._draw_z(feet.at(x, y, zoom=zoom, mirrored=feet.mirrored))

    def _draw_z(self, pen: Pen) -> None:
        corners: list[Point] = [(-3, -3), (3, -3), (-3, 3), (3, 3)]
        for colour, width in ((INK, 2.8), ((255, 255, 255), 1.5)):
            for start, end in pairwise(corners):
                pen.stroke([start, end], colour, width)

    def _leg(self, body: Pen, path: list[Point]) -> None:
        body.stroke(path, self.colour, 6, outline=1.0)
        foot_x, foot_y = path[-1]
        body.ellipse(foot_x + 1, foot_y + 1, 5, 3.4, self.colour)

    def _draw_behind(self, body: Pen) -> None:
        if self.creature.back == "wings":
            for mirrored in (False, True):
                self._draw_wing(body.at(0, 0, mirrored=mirrored))
        elif self.creature.back == "tail":
            self._draw_tail(body)
        self._draw_head_piece(body)

    def _draw_wing(self, body: Pen) -> None:
        x = self.build.half_width(0) - 5
        wing = [(x, 2), (x + 7, -14), (x + 20, -19), (x + 19, -8), (x + 16, 0), (x + 12, 7), (x + 5, 9)]
        body.blob(wing, self.accent)
        for tip_x, tip_y in ((17, -12), (15, -4), (11, 3)):
            body.stroke([(x + 6, -1), (x + tip_x, tip_y)], shade(self.accent, -0.35), 0.9)

    def _draw_tail(self, body: Pen) -> None:
        start, low = self.build.half_width(self.build.height * 0.5), self.build.height
        path = [
            (-start + 4, low * 0.55),
            (-start - 7, low * 0.75),
            (-start - 13, low * 0.3),
            (-start - 10, -low * 0.25),
        ]
        body.stroke(path, self.accent, 5.5, outline=1.0)
        x, y = path[-1]
        tuft = [(x - 6, y + 3), (x - 6, y - 4), (x + 1, y - 11), (x + 6, y - 3), (x + 5, y + 3), (x, y + 5)]
        body.blob(tuft, self.accent)

    def _draw_head_piece(self, body: Pen) -> None:
        top = -self.build.height
        reach = self.build.half_width(top * 0.72)
        for mirrored in (False, True):
            side = body.at(0, 0, mirrored=mirrored)
            if self.creature.head == "horns":
                root = reach * 0.72
                horn = [
                    (root - 5, top + 5),
                    (root - 1, top - 4),
                    (root + 8, top - 13),
                    (root + 8, top - 2),
                    (root + 4, top + 8),
                ]
                side.polygon([*smooth(horn[:3], closed=False), *smooth(horn[2:], closed=False)], self.accent)
                side.stroke([(root, top - 2), (root + 6, top - 3)], shade(self.accent, -0.35), 0.9)
            elif self.creature.head == "ears":
                ear = side.at(reach * 0.55, top + 4, turn=14)
                ear.ellipse(0, -9, 5.2, 13, self.accent)
                ear.ellipse(0, -8, 2.4, 8.5, shade(self.accent, -0.22), outline=0)
            else:
                x = reach * 0.4
                side.stroke([(x, top + 3), (x + 2, top - 7), (x + 6, top - 14)], INK, 1.5)
                side.ellipse(x + 6.5, top - 15, 4, 4, self.accent)

    def _draw_front(self, body: Pen, *, arms_up: bool) -> None:
        body.blob(self.build.outline(), shade(self.colour, -0.2), outline=1.3)
        lit = body.at(-1.0, -1.2)
        lit.blob(self.build.outline(0.9), self.colour, outline=0)
        height = self.build.height
        body.ellipse(
            0,
            height * 0.65,
            self.build.half_width(height * 0.5) * 0.66,
            height * 0.27,
            self.accent,
            outline=0.7,
        )
        highlight = body.at(-self.build.half_width(-height * 0.6) * 0.62, -height * 0.66, turn=-38)
        highlight.ellipse(0, 0, 3.4, 1.5, shade(self.colour, 0.65), outline=0)
        draw_face(body.at(0, -height * 0.3, zoom=1.1), self.creature.mood)
        if self.creature.pose != "sleeping":
            self._draw_arms(body, arms_up=arms_up)

    def _draw_arms(self, body: Pen, *, arms_up: bool) -> None:
        shoulder = self.build.half_width(4) - 2
        rest = -9.0 if arms_up else 11.0
        body.stroke(
            [(-shoulder, 4), (-shoulder - 6, (4 + rest) / 2), (-shoulder - 7, rest)],
            self.colour,
            4.5,
            outline=1.0,
        )
        if self.creature.thing is not None:
            hand = body.at(shoulder + 8, 0)
            draw_thing(hand.at(2, -1, zoom=1.15, mirrored=body.mirrored), self.creature.thing)
            body.stroke([(shoulder, 5), (shoulder + 6, 5), (shoulder + 9, 0)], self.colour, 4.5, outline=1.0)
        else:
            body.stroke(
                [(shoulder, 4), (shoulder + 6, (4 + rest) / 2), (shoulder + 7, rest)],
                self.colour,
                4.5,
                outline=1.0,
            )
