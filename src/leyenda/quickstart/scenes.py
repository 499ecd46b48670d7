"""What the toy scenes show from which the demo model first learns: things, never creatures."""

from __future__ import annotations

import random
from dataclasses import dataclass

COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "white",
    "brown",
    "grey",
    "black",
)
STANDING_KINDS = (
    "car",
    "bus",
    "boat",
    "house",
    "tower",
    "ball",
    "cup",
    "apple",
    "chair",
    "lamp",
    "hat",
    "clock",
    "tree",
    "present",
    "drum",
    "teapot",
    "windmill",
    "bottle",
    "bell",
    "candle",
)
FLYING_KINDS = ("kite", "plane", "rocket", "airship")
PATTERNS = ("plain", "striped", "spotted")
SIZES = ("big", "small")
PLACES = ("table", "grass", "snow", "sand", "road", "room", "night", "water")
WEATHERS = ("sun", "clouds", "rain", "rainbow", "nothing")
INDOORS = ("table", "room")
PATTERNED_KINDS = ("ball", "cup", "hat", "present", "drum", "teapot", "airship", "bottle", "bell", "kite")
ROWS = (2, 3)
"""How many of the same small thing can stand in a row."""

LAYOUTS = {"single": 6, "pair": 2, "row": 1, "flight": 2}
"""How things are arranged, and how often: most pictures show one thing, which is what is learnt from first."""


@dataclass(frozen=True)
class Thing:
    """A toy: every field is a value of the list of that name in this module.

    Args:
        kind: what it is.
        colour: of most of it.
        detail: colour of its part that stands out; never the same as `colour`.
        size: `big` or `small`.
        pattern: what covers it, in the colour of the detail.
    """

    kind: str
    colour: str
    detail: str
    size: str
    pattern: str = "plain"


@dataclass(frozen=True)
class Scene:
    """One or two kinds of things somewhere.

    Args:
        place: where.
        weather: what the sky shows; `nothing` indoors and at night.
        left: the thing on the left, or the only one.
        right: the thing on the right, or None.
        above: the thing in the air, or None.
        count: how many of `left` stand in a row; 1 when there is a thing on the right.
    """

    place: str
    weather: str
    left: Thing
    right: Thing | None = None
    above: Thing | None = None
    count: int = 1


def sample(randomness: random.Random) -> Scene:
    """A random scene: a single thing, two side by side, a row, or one under something that flies."""
    place = randomness.choice(PLACES)
    outdoors = place not in (*INDOORS, "night")
    weather = randomness.choice(WEATHERS) if outdoors else "nothing"
    layout = randomness.choices(list(LAYOUTS), list(LAYOUTS.values()))[0]
    if layout == "flight" and place in INDOORS:
        layout = "pair"
    left = _thing(randomness, STANDING_KINDS)
    if layout == "row":
        left = Thing(left.kind, left.colour, left.detail, "small", left.pattern)
        return Scene(place, weather, left, count=randomness.choice(ROWS))
    if layout == "pair":
        right = _thing(randomness, [kind for kind in STANDING_KINDS if kind != left.kind])
        return Scene(place, weather, left, right)
    if layout == "flight":
        return Scene(place, weather, left, above=_thing(randomness, FLYING_KINDS))
    return Scene(place, weather, left)


def _thing(randomness: random.Random, kinds: tuple[str, ...] | list[str]) -> Thing:
    kind = randomness.choice(kinds)
    colour, detail = randomness.sample(COLOURS, 2)
    pattern = randomness.choice(PATTERNS) if kind in PATTERNED_KINDS else "plain"
    return Thing(kind, colour, detail, randomness.choice(SIZES), pattern)
