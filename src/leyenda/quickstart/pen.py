"""A pen that draws smooth, outlined cartoon shapes, in units of a hundredth of the picture's width."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

INK: Colour = (52, 44, 66)
"""Colour of outlines: a soft, dark violet looks friendlier than black."""

SUPERSAMPLING = 3
"""Shapes are drawn so many times larger and averaged down, which smooths their edges."""


@dataclass(frozen=True)
class Pen:
    """Draws in a frame that may be moved, turned, scaled and mirrored; x runs right and y runs down.

    Args:
        draw: the Pillow drawing that receives the shapes.
        pixels_per_unit: how many pixels of that drawing one unit takes.
        x: where the frame's origin lies, in pixels from the left.
        y: where the frame's origin lies, in pixels from the top.
        angle: clockwise turn of the frame in radians.
        mirrored: whether the frame's x axis points left.
    """

    draw: ImageDraw.ImageDraw
    pixels_per_unit: float
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    mirrored: bool = False

    def at(self, x: float, y: float, *, turn: float = 0.0, zoom: float = 1.0, mirrored: bool = False) -> Pen:
        """A pen whose frame has its origin at (x, y) of this one, turned by `turn` degrees clockwise."""
        pixel_x, pixel_y = self._pixel((x, y))
        turn_here = -math.radians(turn) if self.mirrored else math.radians(turn)
        return replace(
            self,
            x=pixel_x,
            y=pixel_y,
            angle=self.angle + turn_here,
            pixels_per_unit=self.pixels_per_unit * zoom,
            mirrored=self.mirrored != mirrored,
        )

    def polygon(self, points: Sequence[Point], fill: Colour, *, outline: float = 1.0) -> None:
        """A filled shape with straight sides; `outline` is the width of its line in units, 0 for none."""
        pixels = [self._pixel(point) for point in points]
        self.draw.polygon(pixels, fill=fill)
        if outline:
            self.draw.line([*pixels, *pixels[:2]], INK, self._width(outline), joint="curve")

    def blob(self, points: Sequence[Point], fill: Colour, *, outline: float = 1.0) -> None:
        """A filled shape whose edge runs smoothly through the points."""
        pixels = [self._pixel(point) for point in smooth(points, closed=True)]
        self.draw.polygon(pixels, fill=fill)
        if outline:
            self.draw.line([*pixels, *pixels[:2]], INK, self._width(outline))

    def ellipse(
        self, x: float, y: float, radius_x: float, radius_y: float, fill: Colour, *, outline: float = 1.0
    ) -> None:
        """A filled ellipse around (x, y)."""
        if outline:
            grown = outline / 2
            self._filled_ellipse(x, y, radius_x + grown, radius_y + grown, INK)
            self._filled_ellipse(x, y, radius_x - grown, radius_y - grown, fill)
        else:
            self._filled_ellipse(x, y, radius_x, radius_y, fill)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float, *, outline: float = 0.0) -> None:
        """A smooth line with round ends through the points; widths in units."""
        pixels = [self._pixel(point) for point in smooth(points, closed=False)]
        if outline:
            self._line(pixels, INK, width + 2 * outline)
        self._line(pixels, colour, width)

    def _line(self, pixels: Sequence[Point], colour: Colour, width: float) -> None:
        self.draw.line(pixels, colour, self._width(width))
        radius = self._width(width) / 2
        # Pillow leaves a notch wherever two stretches of a thick line meet; a disc fills it.
        for x, y in pixels if radius > 3 else (pixels[0], pixels[-1]):
            self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def _filled_ellipse(self, x: float, y: float, radius_x: float, radius_y: float, fill: Colour) -> None:
        self.draw.polygon(
            [self._pixel((x + radius_x * cosine, y + radius_y * sine)) for cosine, sine in _CIRCLE],
            fill=fill,
        )

    def _pixel(self, point: Point) -> Point:
        x, y = point
        if self.mirrored:
            x = -x
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        scale = self.pixels_per_unit
        return self.x + scale * (x * cosine - y * sine), self.y + scale * (x * sine + y * cosine)

    def _width(self, units: float) -> int:
        return max(1, round(units * self.pixels_per_unit))


_CIRCLE = [(math.cos(step * math.tau / 40), math.sin(step * math.tau / 40)) for step in range(40)]


def paint(size: int, draw_picture: Callable[[Pen], None]) -> Image.Image:
    """A square RGB picture of `size` pixels, drawn by a function that gets a pen of 100 by 100 units.

    >>> paint(8, lambda pen: pen.ellipse(50, 50, 90, 90, (255, 0, 0), outline=0)).getpixel((4, 4))
    (255, 0, 0)
    """
    large = Image.new("RGB", (size * SUPERSAMPLING, size * SUPERSAMPLING))
    draw_picture(Pen(ImageDraw.Draw(large), size * SUPERSAMPLING / 100))
    return large.reduce(SUPERSAMPLING)


def shade(colour: Colour, amount: float) -> Colour:
    """The colour mixed with white (`amount` in 0..1) or with ink (in -1..0).

    >>> shade((0, 0, 0), 1.0)
    (255, 255, 255)
    """
    target: Colour = (255, 255, 255) if amount > 0 else INK
    share = abs(amount)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, target, strict=True))
    return red, green, blue


def smooth(points: Sequence[Point], *, closed: bool, steps: int = 6) -> list[Point]:
    """Points of the Catmull-Rom curve through the given ones, `steps` for each stretch."""
    if len(points) < 3:
        return list(points)
    path = [points[-1], *points, *points[:2]] if closed else [points[0], *points, points[-1]]
    curve = [
        _between(path[i - 1], path[i], path[i + 1], path[i + 2], step / steps)
        for i in range(1, len(path) - 2)
        for step in range(steps)
    ]
    return curve if closed else [*curve, points[-1]]


def _between(before: Point, start: Point, end: Point, after: Point, t: float) -> Point:
    def coordinate(p: float, a: float, b: float, n: float) -> float:
        return 0.5 * (
            2 * a + (b - p) * t + (2 * p - 5 * a + 4 * b - n) * t * t + (3 * a - p - 3 * b + n) * t**3
        )

    return (
        coordinate(before[0], start[0], end[0], after[0]),
        coordinate(before[1], start[1], end[1], after[1]),
    )
