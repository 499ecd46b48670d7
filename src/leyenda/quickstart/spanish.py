"""What Spanish grammar asks of a caption: gender, number, articles."""

from __future__ import annotations

from typing import NamedTuple

COLOURS = {
    "red": "rojo",
    "orange": "naranja",
    "yellow": "amarillo",
    "green": "verde",
    "blue": "azul",
    "purple": "morado",
    "pink": "rosa",
    "white": "blanco",
    "brown": "marrón",
    "grey": "gris",
    "black": "negro",
}
"""English colour -> Spanish, masculine singular."""
MOODS = {"happy": "feliz", "sad": "triste", "angry": "enfadado", "surprised": "sorprendido"}
"""English mood -> Spanish, masculine singular."""


class Noun(NamedTuple):
    """A noun, its gender (`m` or `f`) and whether it is plural."""

    word: str
    gender: str
    plural: bool = False

    def with_article(self) -> str:
        """The noun after its indefinite article.

        >>> Noun("flor", "f").with_article()
        'una flor'
        """
        return f"{'una' if self.gender == 'f' else 'un'} {self.word}"


THINGS = {
    "balloon": Noun("globo", "m"),
    "umbrella": Noun("paraguas", "m"),
    "flower": Noun("flor", "f"),
    "ice cream": Noun("helado", "m"),
    "flag": Noun("bandera", "f"),
    "book": Noun("libro", "m"),
    "star": Noun("estrella", "f"),
    "fish": Noun("pez", "m"),
}
"""English name of a thing to hold -> Spanish."""


def agree(adjective: str, noun: Noun) -> str:
    """The masculine singular adjective in the form that its noun asks for.

    >>> agree("rojo", Noun("alas", "f", plural=True)), agree("azul", Noun("cuernos", "m", plural=True))
    ('rojas', 'azules')
    >>> agree("rosa", Noun("cuernos", "m", plural=True)), agree("verde", Noun("criatura", "f"))
    ('rosas', 'verde')
    >>> agree("marrón", Noun("ruedas", "f", plural=True)), agree("gris", Noun("casas", "f", plural=True))
    ('marrones', 'grises')
    """
    if noun.gender == "f" and adjective.endswith("o"):
        adjective = adjective[:-1] + "a"
    if not noun.plural:
        return adjective
    adjective = adjective.replace("marrón", "marron")
    return adjective + ("s" if adjective[-1] in "aeiou" else "es")


def coloured(noun: Noun, colour: str) -> str:
    """The noun and its colour.

    >>> coloured(Noun("flor", "f"), "white")
    'flor blanca'
    """
    return f"{noun.word} {agree(COLOURS[colour], noun)}"
