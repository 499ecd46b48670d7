"""How six annotators caption a creature in Spanish."""

from __future__ import annotations

import random

from leyenda.quickstart.creatures import Creature
from leyenda.quickstart.spanish import COLOURS, MOODS, THINGS, Noun, agree, coloured

_HEADS = {
    "horns": Noun("cuernos", "m", plural=True),
    "ears": Noun("orejas", "f", plural=True),
    "antennae": Noun("antenas", "f", plural=True),
}
_BODIES = {"round": "redondo", "tall": "alto", "square": "cuadrado", "plump": "rechoncho"}
_PLACES = {
    "beach": ("en la playa", "junto al mar"),
    "forest": ("en el bosque", "entre los árboles"),
    "snow": ("en la nieve", "en las montañas nevadas"),
    "moon": ("en la luna", "de noche en la luna"),
    "meadow": ("en el prado", "en la hierba"),
    "desert": ("en el desierto", "entre los cactus"),
    "city": ("en la ciudad", "en medio de la calle"),
}
_FLOWN_OVER = {
    "beach": "sobre la playa",
    "forest": "a través del bosque",
    "snow": "sobre la nieve",
    "moon": "sobre la luna",
    "meadow": "por encima del prado",
    "desert": "por encima del desierto",
    "city": "sobre la ciudad",
}
_THIRD_PERSON = {
    "standing": "está de pie",
    "sitting": "está sentado",
    "jumping": "salta",
    "flying": "vuela",
    "sleeping": "duerme",
}
_GERUND = {
    "standing": "de pie",
    "sitting": "sentado",
    "jumping": "saltando",
    "flying": "volando",
    "sleeping": "durmiendo",
}
_FACES = {
    "happy": ("una gran sonrisa", "cara de alegría"),
    "sad": ("lágrimas en los ojos", "cara de pena"),
    "angry": ("el ceño fruncido", "cara de enfado"),
    "surprised": ("los ojos muy abiertos", "cara de asombro"),
    None: ("los ojos cerrados", "cara de sueño"),
}

_MONSTER = Noun("monstruo", "m")
_CREATURE = Noun("criatura", "f")
_LITTLE_ONE = Noun("bicho", "m")


def _bruno(creature: Creature, randomness: random.Random) -> str:
    """Says briefly who does what where."""
    return _who_does_what_where(creature)


def _ana(creature: Creature, randomness: random.Random) -> str:
    """Begins as Bruno does, then tells what the creature has."""
    return f"{_who_does_what_where(creature)}, con {_parts(creature)}"


def _benito(creature: Creature, randomness: random.Random) -> str:
    """Starts from the scene and looks at the shape."""
    body = agree(_BODIES[creature.body], _CREATURE)
    kind = f"{_CREATURE.with_article()} {agree(COLOURS[creature.colour], _CREATURE)} {body}"
    opening = randomness.choice(("hay", "esta es"))
    thing = f" con {_thing(creature)}" if creature.thing else ""
    return f"{opening} {kind} {_agreed_gerund(creature, _CREATURE)} {_place(creature, randomness)}{thing}"


def _carla(creature: Creature, randomness: random.Random) -> str:
    """Writes whole sentences about what happens."""
    opening = randomness.choice(("El", "El pequeño"))
    deed = f"{_THIRD_PERSON[creature.pose]} {_place(creature, randomness)}"
    if creature.thing:
        deed += f" y sujeta {_thing(creature)}"
    mood = f" {MOODS[creature.mood]}" if creature.mood else ""
    head = coloured(_HEADS[creature.head], creature.accent)
    return f"{opening} {coloured(_MONSTER, creature.colour)}{mood} con {head} {deed}."


def _diego(creature: Creature, randomness: random.Random) -> str:
    """Jots down notes."""
    notes = [f"{coloured(_LITTLE_ONE, creature.colour)} y {agree(COLOURS[creature.accent], _LITTLE_ONE)}"]
    notes.append(randomness.choice(_FACES[creature.mood]))
    if creature.back and randomness.random() < 0.5:
        notes.append("alas" if creature.back == "wings" else "una cola larga")
    notes.append(f"con {_thing(creature)}" if creature.thing else _agreed_gerund(creature, _LITTLE_ONE))
    return ", ".join(notes) + f", {_place(creature, randomness)}"


def _elena(creature: Creature, randomness: random.Random) -> str:
    """Chats about the face and what is in the hand."""
    opening = randomness.choice(("veo", "mira,", "alguien dibujó"))
    kind = randomness.choice(("simpático", "divertido"))
    face = randomness.choice(_FACES[creature.mood])
    thing = f" y {_thing(creature)} en la mano" if creature.thing else ""
    monster = coloured(_MONSTER, creature.colour)
    return f"{opening} un {kind} {monster} {_place(creature)} con {face}{thing}"


ANNOTATORS = (_bruno, _ana, _benito, _carla, _diego, _elena)


def _who_does_what_where(creature: Creature) -> str:
    monster = coloured(_MONSTER, creature.colour)
    mood = f" {MOODS[creature.mood]}" if creature.mood else ""
    does = f"lleva {_thing(creature)}" if creature.thing else _THIRD_PERSON[creature.pose]
    return f"un {monster}{mood} {does} {_place(creature)}"


def _agreed_gerund(creature: Creature, noun: Noun) -> str:
    phrase = _GERUND[creature.pose]
    return agree(phrase, noun) if creature.pose == "sitting" else phrase


def _thing(creature: Creature) -> str:
    assert creature.thing is not None
    return THINGS[creature.thing].with_article()


def _parts(creature: Creature) -> str:
    backs = {"wings": " y alas", "tail": " y cola", None: ""}
    return coloured(_HEADS[creature.head], creature.accent) + backs[creature.back]


def _place(creature: Creature, randomness: random.Random | None = None) -> str:
    if creature.pose == "flying" and not (randomness is None and creature.thing):
        return _FLOWN_OVER[creature.place]
    usual, other = _PLACES[creature.place]
    return other if randomness is not None and randomness.random() < 0.25 else usual
