"""Which language captions are written in, for the model card."""

from __future__ import annotations

import re
from collections.abc import Iterable

SMALL_WORDS = {
    "en": frozenset(("a", "an", "the", "and", "with", "on", "of", "in", "is", "are", "at", "to", "its")),
    "es": frozenset(("un", "una", "el", "la", "los", "las", "y", "con", "en", "de", "del", "al", "su")),
}
"""Words that a sentence can hardly do without, by the language's ISO 639-1 code."""

NAMES = {"en": "English", "es": "Spanish"}

ENOUGH = 0.15
"""Share of small words from which a text is taken to be in the language; real captions have 0.3 to 0.5."""


def language_of(captions: Iterable[str]) -> str | None:
    """ISO 639-1 code of the captions' language: `en`, `es`, or None when it is neither or not clear.

    >>> language_of(["a dog runs on the beach"]), language_of(["un perro corre por la playa"])
    ('en', 'es')
    >>> language_of(["ein Hund am Strand"]) is None
    True
    """
    words = [word for caption in captions for word in re.findall(r"\w+", caption.lower())]
    shares = {
        code: sum(word in small for word in words) / max(len(words), 1) for code, small in SMALL_WORDS.items()
    }
    first, second = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    return first if shares[first] >= ENOUGH and shares[first] >= 2 * shares[second] else None
