"""Captions of the toy scenes, some in English and some in Spanish: the demo model's first words."""

from __future__ import annotations

import random
from collections.abc import Callable

from leyenda.quickstart.english import with_article
from leyenda.quickstart.scenes import Scene, Thing
from leyenda.quickstart.spanish import COLOURS, Noun, agree

_PARTS = {
    "car": "wheels",
    "bus": "wheels",
    "boat": "a {} sail",
    "house": "a {} roof",
    "tower": "a {} flag",
    "ball": "a {} dot",
    "cup": "a {} handle",
    "apple": "a {} leaf",
    "chair": "a {} cushion",
    "lamp": "a {} foot",
    "hat": "a {} ribbon",
    "clock": "hands",
    "tree": "a {} trunk",
    "present": "a {} bow",
    "drum": "sticks",
    "teapot": "a {} lid",
    "windmill": "sails",
    "bottle": "a {} cap",
    "bell": "a {} clapper",
    "candle": "a {} plate",
    "kite": "a {} ribbon",
    "plane": "wings",
    "rocket": "fins",
    "airship": "a {} basket",
}
_PLACES = {
    "table": ("on a table", "on the wooden table"),
    "grass": ("on the grass", "in a green field"),
    "snow": ("in the snow", "on the white snow"),
    "sand": ("on the sand", "on a sandy ground"),
    "road": ("on the road", "on the street"),
    "room": ("in a room", "on a rug in front of a window"),
    "night": ("at night", "under the stars"),
    "water": ("on the water", "in the sea"),
}
_WEATHERS = {
    "sun": ("under the sun", "in the sunshine"),
    "clouds": ("under white clouds", "with clouds in the sky"),
    "rain": ("in the rain", "under grey clouds"),
    "rainbow": ("under a rainbow", "in front of a rainbow"),
    "nothing": ("",),
}
_NUMBERS = {2: "two", 3: "three"}
_PLURALS = {"bus": "buses"}

_NOUNS = {
    "car": Noun("coche", "m"),
    "bus": Noun("autobús", "m"),
    "boat": Noun("barco", "m"),
    "house": Noun("casa", "f"),
    "tower": Noun("torre", "f"),
    "ball": Noun("pelota", "f"),
    "cup": Noun("taza", "f"),
    "apple": Noun("manzana", "f"),
    "chair": Noun("silla", "f"),
    "lamp": Noun("lámpara", "f"),
    "hat": Noun("sombrero", "m"),
    "clock": Noun("reloj", "m"),
    "tree": Noun("árbol", "m"),
    "present": Noun("regalo", "m"),
    "drum": Noun("tambor", "m"),
    "teapot": Noun("tetera", "f"),
    "windmill": Noun("molino", "m"),
    "bottle": Noun("botella", "f"),
    "bell": Noun("campana", "f"),
    "candle": Noun("vela", "f"),
    "kite": Noun("cometa", "f"),
    "plane": Noun("avión", "m"),
    "rocket": Noun("cohete", "m"),
    "airship": Noun("dirigible", "m"),
}
_SPANISH_PLURALS = {"autobús": "autobuses", "reloj": "relojes", "árbol": "árboles", "tambor": "tambores"}
_SPANISH_PARTS = {
    "car": Noun("ruedas", "f", plural=True),
    "bus": Noun("ruedas", "f", plural=True),
    "boat": Noun("velas", "f", plural=True),
    "house": Noun("tejado", "m"),
    "tower": Noun("bandera", "f"),
    "ball": Noun("mancha", "f"),
    "cup": Noun("asa", "f"),
    "apple": Noun("hoja", "f"),
    "chair": Noun("cojín", "m"),
    "lamp": Noun("pie", "m"),
    "hat": Noun("cinta", "f"),
    "clock": Noun("agujas", "f", plural=True),
    "tree": Noun("tronco", "m"),
    "present": Noun("lazo", "m"),
    "drum": Noun("palillos", "m", plural=True),
    "teapot": Noun("tapa", "f"),
    "windmill": Noun("aspas", "f", plural=True),
    "bottle": Noun("tapón", "m"),
    "bell": Noun("badajo", "m"),
    "candle": Noun("plato", "m"),
    "kite": Noun("cinta", "f"),
    "plane": Noun("alas", "f", plural=True),
    "rocket": Noun("aletas", "f", plural=True),
    "airship": Noun("cesta", "f"),
}
_SPANISH_PLACES = {
    "table": ("sobre una mesa", "encima de la mesa de madera"),
    "grass": ("en la hierba", "en un campo verde"),
    "snow": ("en la nieve", "sobre la nieve blanca"),
    "sand": ("en la arena", "sobre la arena"),
    "road": ("en la carretera", "en la calle"),
    "room": ("en una habitación", "en una alfombra delante de una ventana"),
    "night": ("de noche", "bajo las estrellas"),
    "water": ("en el agua", "en el mar"),
}
_SPANISH_WEATHERS = {
    "sun": ("bajo el sol", "al sol"),
    "clouds": ("bajo nubes blancas", "con nubes en el cielo"),
    "rain": ("bajo la lluvia", "bajo nubes grises"),
    "rainbow": ("bajo un arcoíris", "delante de un arcoíris"),
    "nothing": ("",),
}
_SPANISH_SIZES = {"big": "grande", "small": "pequeño"}
_SPANISH_NUMBERS = {2: "dos", 3: "tres"}
_SPANISH_PATTERNS = {"plain": "", "striped": "de rayas", "spotted": "de lunares"}


def captions_of(scene: Scene, randomness: random.Random) -> tuple[str, ...]:
    """Four captions of a scene: two in English, then two in Spanish.

    Args:
        scene: what they tell of.
        randomness: decides between turns of phrase.
    """
    return (
        *(_caption(_english, scene, randomness) for _ in range(2)),
        *(_caption(_spanish, scene, randomness) for _ in range(2)),
    )


def _caption(
    language: Callable[[Scene, random.Random], list[str]], scene: Scene, randomness: random.Random
) -> str:
    return " ".join(part for part in language(scene, randomness) if part)


def _english(scene: Scene, randomness: random.Random) -> list[str]:
    place = randomness.choice(_PLACES[scene.place])
    weather = randomness.choice(_WEATHERS[scene.weather])
    if scene.count > 1:
        what = f"{_NUMBERS[scene.count]} {_described(scene.left, plural=True)}"
        return [
            randomness.choice(("", "there are")),
            what,
            randomness.choice(("", "in a row")),
            place,
            weather,
        ]
    opening = randomness.choice(("", "", "there is", "this is"))
    left = with_article(_described(scene.left))
    if scene.above is not None:
        above = with_article(_described(scene.above))
        if randomness.random() < 0.5:
            return [opening, above, randomness.choice(("flying over", "above")), left, place, weather]
        return [opening, left, place, weather, "and", above, "in the air"]
    if scene.right is not None:
        right = with_article(_described(scene.right))
        link = randomness.choice(("and", "next to", "to the left of"))
        if randomness.random() < 0.25:
            left, right, link = right, left, randomness.choice(("and", "next to", "to the right of"))
        return [opening, left, link, right, place, weather]
    return [opening, left, place, weather]


def _described(thing: Thing, *, plural: bool = False) -> str:
    pattern = "" if thing.pattern == "plain" else f" {thing.pattern}"
    kind = _PLURALS.get(thing.kind, f"{thing.kind}s") if plural else thing.kind
    part = _PARTS[thing.kind]
    phrase = part.format(thing.detail) if "{}" in part else f"{thing.detail} {part}"
    if "{} " in part and thing.detail == "orange":
        phrase = phrase.replace("a orange", "an orange")
    return f"{thing.size}{pattern} {thing.colour} {kind} with {phrase}"


def _spanish(scene: Scene, randomness: random.Random) -> list[str]:
    place = randomness.choice(_SPANISH_PLACES[scene.place])
    weather = randomness.choice(_SPANISH_WEATHERS[scene.weather])
    if scene.count > 1:
        what = f"{_SPANISH_NUMBERS[scene.count]} {_in_spanish(scene.left, plural=True)}"
        return [randomness.choice(("", "hay")), what, randomness.choice(("", "en fila")), place, weather]
    opening = randomness.choice(("", "", "hay", "se ve"))
    left = _in_spanish(scene.left)
    if scene.above is not None:
        above = _in_spanish(scene.above)
        if randomness.random() < 0.5:
            return [
                opening,
                above,
                randomness.choice(("volando sobre", "por encima de")),
                left,
                place,
                weather,
            ]
        return [opening, left, place, weather, "y", above, "en el aire"]
    if scene.right is not None:
        right = _in_spanish(scene.right)
        link = randomness.choice(("y", "al lado de", "a la izquierda de"))
        if randomness.random() < 0.25:
            left, right, link = right, left, randomness.choice(("y", "al lado de", "a la derecha de"))
        return [opening, left, link, right, place, weather]
    return [opening, left, place, weather]


def _in_spanish(thing: Thing, *, plural: bool = False) -> str:
    noun = _NOUNS[thing.kind]
    if plural:
        noun = Noun(_SPANISH_PLURALS.get(noun.word, noun.word + "s"), noun.gender, plural=True)
    words = [
        noun.word if plural else noun.with_article(),
        agree(COLOURS[thing.colour], noun),
        agree(_SPANISH_SIZES[thing.size], noun),
        _SPANISH_PATTERNS[thing.pattern],
        "con",
        _SPANISH_PARTS[thing.kind].word,
        agree(COLOURS[thing.detail], _SPANISH_PARTS[thing.kind]),
    ]
    return " ".join(word for word in words if word)
