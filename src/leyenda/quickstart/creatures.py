"""What a cartoon creature can be like, and which creatures only the test split shows."""

from __future__ import annotations

import random
from dataclasses import dataclass

from leyenda.quickstart.faces import MOODS
from leyenda.quickstart.things import THINGS

BODIES = ("round", "tall", "square", "plump")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
HEADS = ("horns", "ears", "antennae")
BACKS = ("wings", "tail", None)
POSES = {"standing": 3, "sitting": 2, "jumping": 2, "flying": 3, "sleeping": 1}
"""What a creature can be doing, and how often it does."""

PLACES = ("beach", "forest", "snow", "moon", "meadow", "desert", "city")


@dataclass(frozen=True)
class Creature:
    """One creature: every field is a value of the list of its name in this module.

    Args:
        body: the shape of its body.
        colour: the colour of its body.
        accent: its second colour: belly, head piece, wings and tail; never the same as `colour`.
        head: what grows on its head.
        back: what grows on its back, or None.
        mood: what its face shows; None when it sleeps.
        pose: what it is doing; only winged creatures fly.
        thing: what it holds, or None; who sleeps holds nothing.
        place: where it is.
    """

    body: str
    colour: str
    accent: str
    head: str
    back: str | None
    mood: str | None
    pose: str
    thing: str | None
    place: str


def kept_for_test(creature: Creature) -> bool:
    """Whether the creature's colour in its place is a combination that only the test split shows.

    One place in seven is kept back for every colour, and one or two colours for every place.
    """
    return PLACES.index(creature.place) == 3 * COLOURS.index(creature.colour) % len(PLACES)


def sample(randomness: random.Random, *, for_test: bool) -> Creature:
    """A random creature that belongs to the test split, or one that does not.

    Args:
        randomness: where the choices come from.
        for_test: which kind of creature is wanted.
    """
    while True:
        creature = _any_creature(randomness)
        if kept_for_test(creature) == for_test:
            return creature


def _any_creature(randomness: random.Random) -> Creature:
    colour, accent = randomness.sample(COLOURS, 2)
    back = randomness.choice(BACKS)
    possible = [pose for pose in POSES if pose != "flying" or back == "wings"]
    pose = randomness.choices(possible, [POSES[pose] for pose in possible])[0]
    asleep = pose == "sleeping"
    holds = not asleep and randomness.random() < 0.65
    return Creature(
        body=randomness.choice(BODIES),
        colour=colour,
        accent=accent,
        head=randomness.choice(HEADS),
        back=back,
        mood=None if asleep else randomness.choice(MOODS),
        pose=pose,
        thing=randomness.choice(THINGS) if holds else None,
        place=randomness.choice(PLACES),
    )
