"""Tokens by Unicode word boundaries, for captions that are not in English."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from leyenda.characters import classes, word_spans

CACHED_CAPTIONS = 1 << 16

# The rules are written over the classes of `leyenda.characters`.
_WORD = re.compile(
    r"""
    i | [ahk0_] (?:
        (?<=[ah0_]) [ah0] | (?<=[k_]) k | _     # letters and digits hold together, Katakana with Katakana
        | (?<=[ah]) [:.'] [ah]                  # l'eau, e.g
        | (?<=0) [,.'] 0                        # 3,5
        | (?<=h) " h | (?<=h) '
    )*
    """,
    re.VERBOSE,
)


_WITH_MARKS = re.compile(r"[^m]m*|m+")


@lru_cache(maxsize=CACHED_CAPTIONS)
def unicode_tokens(caption: str) -> tuple[str, ...]:
    """Lower-cased words of a caption in any language.

    The default word boundaries of Unicode Standard Annex 29 (UAX #29): letters, marks and digits hold together, and so
    do an apostrophe or full stop between letters and a point or comma between digits; every ideograph is a word of its
    own, and so is every letter of scripts without spaces (Thai, Khmer, ...). Of the pieces between boundaries
    those with a letter or digit are words.

    Args:
        caption: one caption; accents may be written as one character or two (NFC is applied).

    Returns:
        The words, without punctuation, none of them empty.

    >>> unicode_tokens("¿Qué hace el NIÑO? ¡L'eau, 3,5 km!")
    ('qué', 'hace', 'el', 'niño', "l'eau", '3,5', 'km')
    """
    text = nfc(nfc(caption).lower())
    shape = classes(text)
    if "m" not in shape:
        return tuple(text[m.start() : m.end()] for m in _WORD.finditer(shape) if m.group().strip("_"))
    # A mark belongs to what it stands on, and the rules do not see it.
    pieces = [(match.start(), match.end()) for match in _WITH_MARKS.finditer(shape)]
    bare = "".join(shape[start] for start, _ in pieces)
    return tuple(
        text[pieces[m.start()][0] : pieces[m.end() - 1][1]]
        for m in _WORD.finditer(bare)
        if m.group().strip("_")
    )


@lru_cache(maxsize=CACHED_CAPTIONS)
def letter_runs(caption: str) -> tuple[str, ...]:
    """Lower-cased runs of letters, their marks and digits; everything else separates, apostrophes too.

    On ASCII text these are the words of the rouge-score library, which takes every other letter for a separator.

    >>> letter_runs("The niño's T-shirt")
    ('the', 'niño', 's', 't', 'shirt')
    """
    text = nfc(nfc(caption).lower())
    return tuple(text[start:end] for start, end in word_spans(text))


def nfc(text: str) -> str:
    """Text with letters and accents in composed form, so that both ways to write `é` compare equal."""
    return unicodedata.normalize("NFC", text)
