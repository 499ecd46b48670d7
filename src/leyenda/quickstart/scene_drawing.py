"""From a scene to its picture: toys of jittered colours, places and sizes before a simple backdrop."""

from __future__ import annotations

import random

from PIL import Image

from leyenda.quickstart.pen import Colour, Pen, Point, paint
from leyenda.quickstart.scene_toys import box, draw_toy
from leyenda.quickstart.scenes import Scene, Thing
from leyenda.quickstart.things import draw_thing

PICTURE_SIZE = 100
"""Width and height of a picture, in pixels: what the demo model looks at."""

_COLOURS: dict[str, Colour] = {
    "red": (220, 45, 45),
    "orange": (250, 140, 35),
    "yellow": (250, 215, 55),
    "green": (60, 170, 75),
    "blue": (50, 110, 225),
    "purple": (140, 70, 185),
    "pink": (250, 145, 190),
    "white": (246, 246, 246),
    "brown": (130, 85, 55),
    "grey": (140, 142, 148),
    "black": (48, 46, 54),
}
_DAY: Colour = (165, 215, 245)
_GROUNDS: dict[str, tuple[Colour, Colour]] = {
    "table": (_COLOURS["white"], (196, 146, 96)),
    "grass": (_DAY, (120, 190, 90)),
    "snow": (_DAY, (240, 245, 252)),
    "sand": (_DAY, (240, 214, 152)),
    "road": (_DAY, (112, 114, 122)),
    "room": ((235, 205, 190), (150, 100, 110)),
    "night": ((30, 28, 70), (58, 80, 84)),
    "water": (_DAY, (50, 145, 200)),
}
"""Colour of the backdrop and of the ground."""


def draw_scene(scene: Scene, randomness: random.Random, size: int = PICTURE_SIZE) -> Image.Image:
    """Draw a scene.

    Args:
        scene: what to draw.
        randomness: decides what captions do not tell: exact colours, places and sizes.
        size: width and height in pixels.

    Returns:
        An RGB picture of `size` by `size` pixels.
    """

    def picture(pen: Pen) -> None:
        horizon = randomness.uniform(54, 62)
        _draw_backdrop(pen, scene, horizon, randomness)
        ground = randomness.uniform(78, 82)
        if scene.above is not None:
            _draw_thing(
                pen, scene.above, randomness.uniform(20, 26), randomness.uniform(19, 23), 0.75, randomness
            )
        if scene.beside is not None:
            _draw_thing(pen, scene.beside, randomness.uniform(80, 84), ground + 8, 0.75, randomness)
        if scene.on_post is not None:
            post = pen.at(randomness.uniform(78, 84), randomness.uniform(54, 58))
            post.polygon(box(-1.5, 0, 3, 28), (120, 84, 60), outline=0.8)
            draw_thing(post.at(0, -4, zoom=1.15), scene.on_post)
        middle = randomness.uniform(47, 51)
        _draw_thing(pen, scene.main, middle, ground, 1.55 if scene.main.size == "big" else 1.0, randomness)

    return paint(size, picture)


def _draw_thing(pen: Pen, thing: Thing, x: float, y: float, zoom: float, randomness: random.Random) -> None:
    colour, detail = (_jittered(_COLOURS[name], randomness) for name in (thing.colour, thing.detail))
    toy = pen.at(x, y, turn=randomness.uniform(-3, 3), zoom=zoom * randomness.uniform(0.95, 1.05))
    draw_toy(toy, thing.kind, colour, detail, thing.pattern, thing.mood)


def _jittered(colour: Colour, randomness: random.Random, amount: float = 12) -> Colour:
    red, green, blue = (
        min(255, max(0, round(value + randomness.uniform(-amount, amount)))) for value in colour
    )
    return red, green, blue


def _draw_backdrop(pen: Pen, scene: Scene, horizon: float, randomness: random.Random) -> None:
    sky, ground = (_jittered(colour, randomness, 8) for colour in _GROUNDS[scene.place])
    pen.polygon(box(-1, -1, 102, 102), sky, outline=0)
    _draw_sky(pen, scene, randomness)
    pen.polygon(box(-1, horizon, 102, 102 - horizon), ground, outline=0)
    _draw_ground(pen, scene.place, horizon, randomness)


def _draw_sky(pen: Pen, scene: Scene, randomness: random.Random) -> None:
    if scene.place == "night":
        for x, y in _anywhere(randomness, 14, 0, 50):
            pen.ellipse(x, y, 0.9, 0.9, (255, 250, 200), outline=0)
    elif scene.weather == "sun":
        pen.ellipse(randomness.choice((14, 86)), 14, 9, 9, (255, 220, 90), outline=0)
    elif scene.weather == "rainbow":
        for step, name in enumerate(("red", "orange", "yellow", "green", "blue", "purple")):
            radius = 56 - 3 * step
            pen.ellipse(50, 62, radius, radius, _COLOURS[name], outline=0)
        pen.ellipse(50, 62, 38, 38, _DAY, outline=0)
    elif scene.weather == "clouds":
        _draw_clouds(pen, (255, 255, 255), randomness)
    elif scene.weather == "rain":
        _draw_clouds(pen, (128, 134, 146), randomness)
        for x, y in _anywhere(randomness, 24, 16, 60):
            pen.stroke([(x, y), (x - 1.5, y + 5)], (80, 120, 190), 0.9)


def _draw_clouds(pen: Pen, colour: Colour, randomness: random.Random) -> None:
    for x in (20, 52, 84):
        cloud = pen.at(x + randomness.uniform(-8, 8), randomness.uniform(7, 16))
        for dx, radius in ((-7, 4.5), (0, 6.5), (7, 4.5)):
            cloud.ellipse(dx, 0, radius, radius * 0.8, colour, outline=0)


def _draw_ground(pen: Pen, place: str, horizon: float, randomness: random.Random) -> None:
    if place == "road":
        for left in (2, 38, 74):
            pen.polygon(box(left, 92, 20, 3), (245, 240, 220), outline=0)
    elif place == "table":
        for y in (horizon + 8, horizon + 20, horizon + 34):
            pen.stroke([(0, y), (100, y + 1)], (170, 120, 75), 0.9)
    elif place == "room":
        pen.polygon(box(36, 8, 28, 26), (190, 225, 245), outline=1.2)
        pen.stroke([(50, 8), (50, 34)], (255, 255, 255), 1.4)
        pen.ellipse(50, 90, 46, 9, (205, 165, 120), outline=0.8)
    elif place == "water":
        for x, y in _anywhere(randomness, 9, horizon + 3, 98):
            pen.stroke([(x, y), (x + 3, y - 1.2), (x + 6, y)], (150, 215, 240), 1)
    elif place == "grass":
        for x, y in _anywhere(randomness, 10, horizon + 4, 98):
            pen.stroke([(x, y), (x + 1, y - 3)], (80, 150, 60), 1)


def _anywhere(randomness: random.Random, count: int, top: float, bottom: float) -> list[Point]:
    return [(randomness.uniform(0, 100), randomness.uniform(top, bottom)) for _ in range(count)]
