"""Tokens by Unicode word boundaries, for captions that are not in English."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CACHED_CAPTIONS = 1 << 16

# A character's part in the rules: a letter, m mark or format character, 0 digit, i a character that is a word alone.
_ALONE = ((0x3040, 0x309F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_BETWEEN_LETTERS = ":·.'’‘"
_BETWEEN_DIGITS = ",;.'’‘"
_WORD = re.compile(
    rf"im*|[a0_](?:[a0m_]|(?<=[am])[{_BETWEEN_LETTERS}](?=a)|(?<=[0m])[{_BETWEEN_DIGITS}](?=0))*"
)


class _Parts(dict[int, str]):
    """For `str.translate`: every character's part, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _part(code)
        return self[code]


def _part(code: int) -> str:
    char = chr(code)
    category = unicodedata.category(char)
    if any(first <= code <= last for first, last in _ALONE):
        return "i"
    if category[0] == "L":
        return "a"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category[0] == "N":
        return "0"
    if category == "Pc":
        return "_"
    return char if char in _BETWEEN_LETTERS + _BETWEEN_DIGITS else " "


_PARTS = _Parts()
_RUN = re.compile(r"im*|[a0][am0]*")


@lru_cache(maxsize=CACHED_CAPTIONS)
def unicode_tokens(caption: str) -> tuple[str, ...]:
    """Lower-cased words of a caption in any language.

    The default word boundaries of Unicode Standard Annex 29: letters, marks and digits hold together, and so do an
    apostrophe or full stop between letters and a point or comma between digits; every ideograph is a word of its own.

    Args:
        caption: one caption; accents may be written as one character or two (NFC is applied).

    Returns:
        The words, without punctuation, none of them empty.

    >>> unicode_tokens("¿Qué hace el NIÑO? ¡L'eau, 3,5 km!")
    ('qué', 'hace', 'el', 'niño', "l'eau", '3,5', 'km')
    """
    return _found(_WORD, caption)


@lru_cache(maxsize=CACHED_CAPTIONS)
def letter_runs(caption: str) -> tuple[str, ...]:
    """Lower-cased runs of letters, their marks and digits; everything else separates, apostrophes too.

    On ASCII text these are the tokens of the rouge-score library, which takes every other letter for a separator.

    >>> letter_runs("The niño's T-shirt")
    ('the', 'niño', 's', 't', 'shirt')
    """
    return _found(_RUN, caption)


def _found(pattern: re.Pattern[str], caption: str) -> tuple[str, ...]:
    text = nfc(nfc(caption).lower())
    return tuple(text[match.start() : match.end()] for match in pattern.finditer(text.translate(_PARTS)))


def nfc(text: str) -> str:
    """Text with letters and accents in composed form, so that both ways to write `é` compare equal."""
    return unicodedata.normalize("NFC", text)
