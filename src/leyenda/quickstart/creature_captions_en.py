"""How six annotators caption a creature in English."""

from __future__ import annotations

import random

from leyenda.quickstart.creatures import Creature
from leyenda.quickstart.english import with_article

_HEADS = {"horns": "{} horns", "ears": "long {} ears", "antennae": "{} antennae"}
_PLACES = {
    "beach": ("on the beach", "by the sea"),
    "forest": ("in the forest", "in the woods"),
    "snow": ("in the snow", "in the snowy mountains"),
    "moon": ("on the moon", "on the moon at night"),
    "meadow": ("in the meadow", "on the grass"),
    "desert": ("in the desert", "among the cacti"),
    "city": ("in the city", "on the street"),
}
_FLOWN_OVER = {
    "beach": "over the beach",
    "forest": "through the forest",
    "snow": "over the snow",
    "moon": "over the moon",
    "meadow": "over the meadow",
    "desert": "over the desert",
    "city": "over the city",
}
_THIRD_PERSON = {
    "standing": "stands",
    "sitting": "sits",
    "jumping": "jumps",
    "flying": "flies",
    "sleeping": "sleeps",
}
_FACES = {
    "happy": ("a big smile", "a cheerful face"),
    "sad": ("tears in its eyes", "a tearful face"),
    "angry": ("an angry frown", "a furious face"),
    "surprised": ("wide open eyes", "an astonished face"),
    None: ("its eyes closed", "a sleepy face"),
}


def _bruno(creature: Creature, randomness: random.Random) -> str:
    """Says briefly who does what where."""
    return _who_does_what_where(creature)


def _ana(creature: Creature, randomness: random.Random) -> str:
    """Begins as Bruno does, then tells what the creature has."""
    return f"{_who_does_what_where(creature)}, with {_parts(creature)}"


def _ben(creature: Creature, randomness: random.Random) -> str:
    """Starts from the scene and looks at the shape."""
    body = randomness.choice(("", "little ")) + f"{creature.body} {creature.colour} creature"
    thing = f" with {with_article(creature.thing)}" if creature.thing else ""
    opening = randomness.choice(("there is", "this is"))
    return f"{opening} {with_article(body)} {creature.pose} {_place(creature, randomness)}{thing}"


def _carla(creature: Creature, randomness: random.Random) -> str:
    """Writes whole sentences about what happens."""
    opening = randomness.choice(("The", "The little"))
    deed = f"{_THIRD_PERSON[creature.pose]} {_place(creature, randomness)}"
    if creature.thing:
        deed += f" and holds {with_article(creature.thing)}"
    mood = f"{creature.mood} " if creature.mood else ""
    return f"{opening} {mood}{creature.colour} monster with {_head(creature)} {deed}."


def _dev(creature: Creature, randomness: random.Random) -> str:
    """Jots down notes."""
    notes = [f"{creature.colour} and {creature.accent} critter"]
    notes.append(randomness.choice(_FACES[creature.mood]))
    if creature.back and randomness.random() < 0.5:
        notes.append("wings" if creature.back == "wings" else "a curly tail")
    if creature.thing:
        notes.append(f"{randomness.choice(('carrying', 'holding'))} {with_article(creature.thing)}")
    else:
        notes.append(creature.pose)
    return ", ".join(notes) + f", {_place(creature, randomness)}"


def _eve(creature: Creature, randomness: random.Random) -> str:
    """Chats about the face and what is in the hand."""
    opening = randomness.choice(("I see", "look at", "someone drew"))
    kind = randomness.choice(("cute", "funny"))
    face = randomness.choice(_FACES[creature.mood])
    thing = f" and {with_article(creature.thing)} in its hand" if creature.thing else ""
    return f"{opening} {with_article(kind)} {creature.colour} monster {_place(creature)} with {face}{thing}"


ANNOTATORS = (_bruno, _ana, _ben, _carla, _dev, _eve)


def _who_does_what_where(creature: Creature) -> str:
    monster = f"{creature.mood or ''} {creature.colour} monster".strip()
    does = f"holding {with_article(creature.thing)}" if creature.thing else creature.pose
    return f"{with_article(monster)} {does} {_place(creature)}"


def _parts(creature: Creature) -> str:
    backs = {"wings": " and wings", "tail": " and a tail", None: ""}
    return _head(creature) + backs[creature.back]


def _head(creature: Creature) -> str:
    return _HEADS[creature.head].format(creature.accent)


def _place(creature: Creature, randomness: random.Random | None = None) -> str:
    if creature.pose == "flying" and not (randomness is None and creature.thing):
        return _FLOWN_OVER[creature.place]
    usual, other = _PLACES[creature.place]
    return other if randomness is not None and randomness.random() < 0.25 else usual
