"""Three to five captions for a creature, each by another annotator with habits of their own.

Bruno captions every picture, the other five about half of them each. Each tells what strikes them and leaves out
the rest, as people do.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from leyenda.errors import LeyendaError, near
from leyenda.quickstart import creature_captions_en, creature_captions_es
from leyenda.quickstart.creatures import Creature

Annotator = Callable[[Creature, random.Random], str]

_ANNOTATORS: dict[str, tuple[Annotator, ...]] = {
    "en": creature_captions_en.ANNOTATORS,
    "es": creature_captions_es.ANNOTATORS,
}
_HOW_OFTEN = (6, 3, 1)
"""How often two, three or four of the others add a caption to Bruno's. A model learns to write like the one who
is heard most, and is understood when that one has spoken about every picture."""

LANGUAGES = tuple(_ANNOTATORS)


def captions_of(creature: Creature, language: str, randomness: random.Random) -> tuple[str, ...]:
    """The captions that annotators write about a creature.

    Args:
        creature: what they look at.
        language: `en` or `es`.
        randomness: decides who captions the picture, and between their turns of phrase.

    Returns:
        Three to five different captions, the brief annotator's first.

    Raises:
        LeyendaError: there are no annotators for that language.
    """
    check_language(language)
    first, *others = _ANNOTATORS[language]
    chosen = randomness.sample(others, randomness.choices((2, 3, 4), _HOW_OFTEN)[0])
    return tuple(annotator(creature, randomness) for annotator in (first, *chosen))


def check_language(language: str) -> None:
    """Refuse a language that nobody captions in.

    Raises:
        LeyendaError: it is not one of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        hint = near(language, LANGUAGES) or f"Choose one of: {', '.join(LANGUAGES)}."
        raise LeyendaError(f"There are no captions in the language {language!r}.", hint)
