"""What the toy scenes show from which the demo model first learns: things, never creatures."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leyenda.quickstart.faces import MOODS
from leyenda.quickstart.things import THINGS

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
KINDS_WITH_FACES = (
    "ball",
    "cup",
    "apple",
    "hat",
    "present",
    "drum",
    "teapot",
    "bottle",
    "bell",
    "tree",
    "lamp",
)
PATTERNED_KINDS = ("ball", "cup", "hat", "present", "drum", "teapot", "airship", "bottle", "bell", "kite")


@dataclass(frozen=True)
class Thing:
    """A toy: every field is a value of the list of that name in this module.

    Args:
        kind: what it is.
        colour: of most of it.
        detail: colour of its part that stands out; never the same as `colour`.
        size: `big` or `small`.
        pattern: what covers it, in the colour of the detail.
        mood: what its face shows; None for a thing without a face.
    """

    kind: str
    colour: str
    detail: str
    size: str
    pattern: str = "plain"
    mood: str | None = None


@dataclass(frozen=True)
class Scene:
    """A thing somewhere, in the middle of the picture, perhaps in company.

    Args:
        place: where.
        weather: what the sky shows; `nothing` indoors and at night.
        main: the thing in the middle.
        beside: a small thing on its right, or None.
        on_post: one of `things.THINGS` on a post on its right, or None.
        above: a small thing in the air, or None.
    """

    place: str
    weather: str
    main: Thing
    beside: Thing | None = None
    on_post: str | None = None
    above: Thing | None = None


def sample(randomness: random.Random) -> Scene:
    """A random scene; most have something beside the main thing or in the air."""
    place = randomness.choice(PLACES)
    outdoors = place not in (*INDOORS, "night")
    main = _thing(randomness, STANDING_KINDS, SIZES)
    if main.kind in KINDS_WITH_FACES and randomness.random() < 0.7:
        main = replace(main, pattern="plain", mood=randomness.choice(MOODS))
    beside = on_post = above = None
    company = randomness.random()
    if company < 0.4:
        on_post = randomness.choice(THINGS)
    elif company < 0.6:
        beside = _thing(randomness, [kind for kind in STANDING_KINDS if kind != main.kind], ["small"])
    elif company < 0.8 and outdoors:
        above = _thing(randomness, FLYING_KINDS, ["small"])
    weather = randomness.choice(WEATHERS) if outdoors else "nothing"
    return Scene(place, weather, main, beside, on_post, above)


def _thing(randomness: random.Random, kinds: Sequence[str], sizes: Sequence[str]) -> Thing:
    kind = randomness.choice(kinds)
    colour, detail = randomness.sample(COLOURS, 2)
    pattern = randomness.choice(PATTERNS) if kind in PATTERNED_KINDS else "plain"
    return Thing(kind, colour, detail, randomness.choice(sizes), pattern)
