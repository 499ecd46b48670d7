"""Captions of the toy scenes, some in English and some in Spanish: the demo model's first words."""

from __future__ import annotations

import random
from collections.abc import Callable

from leyenda.quickstart.english import with_article
from leyenda.quickstart.scenes import Scene, Thing
from leyenda.quickstart.spanish import COLOURS, MOODS, THINGS, Noun, agree, coloured

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


def _usual_or_other(phrases: tuple[str, ...], randomness: random.Random) -> str:
    return phrases[-1] if randomness.random() < 0.25 else phrases[0]


def _english(scene: Scene, randomness: random.Random) -> list[str]:
    told = [_usual_or_other(("", "there is"), randomness), _described(scene.main)]
    if scene.beside is not None:
        told += [_usual_or_other(("next to", "to the left of"), randomness), _described(scene.beside)]
    if scene.on_post is not None:
        told += ["next to", with_article(scene.on_post)]
    told.append(_usual_or_other(_PLACES[scene.place], randomness))
    if scene.above is not None:
        told += [_usual_or_other(("below", "and"), randomness), _described(scene.above)]
    return [*told, _usual_or_other(_WEATHERS[scene.weather], randomness)]


def _described(thing: Thing) -> str:
    pattern = "" if thing.pattern == "plain" else f" {thing.pattern}"
    part = _PARTS[thing.kind]
    if "{}" in part:
        phrase = with_article(part.removeprefix("a ").format(thing.detail))
    else:
        phrase = f"{thing.detail} {part}"
    mood = f" {thing.mood}" if thing.mood else ""
    return with_article(f"{thing.size}{mood}{pattern} {thing.colour} {thing.kind} with {phrase}")


def _spanish(scene: Scene, randomness: random.Random) -> list[str]:
    told = [_usual_or_other(("", "hay"), randomness), _in_spanish(scene.main)]
    if scene.beside is not None:
        told += [_usual_or_other(("junto a", "a la izquierda de"), randomness), _in_spanish(scene.beside)]
    if scene.on_post is not None:
        told += ["junto a", THINGS[scene.on_post].with_article()]
    told.append(_usual_or_other(_SPANISH_PLACES[scene.place], randomness))
    if scene.above is not None:
        told += [_usual_or_other(("debajo de", "y"), randomness), _in_spanish(scene.above)]
    return [*told, _usual_or_other(_SPANISH_WEATHERS[scene.weather], randomness)]


def _in_spanish(thing: Thing) -> str:
    noun, part = _NOUNS[thing.kind], _SPANISH_PARTS[thing.kind]
    words = [
        noun.with_article(),
        agree(COLOURS[thing.colour], noun),
        agree(_SPANISH_SIZES[thing.size], noun),
        agree(MOODS[thing.mood], noun) if thing.mood else "",
        _SPANISH_PATTERNS[thing.pattern],
        "con",
        coloured(part, thing.detail),
    ]
    return " ".join(word for word in words if word)
