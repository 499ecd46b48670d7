"""Tokens by Unicode word boundaries, for captions that are not in English."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CACHED_CAPTIONS = 1 << 16

# Every character becomes the letter of its class in the standard (property Word_Break), and the rules are written
# over these: a letter, h Hebrew letter, k Katakana, 0 digit, _ connector, m mark or format character, i a character
# that is a word of its own; : between letters, , between digits, . and ' between either, " between Hebrew letters.
_OWN = tuple(
    chr(first) + "-" + chr(last)
    for first, last in (
        *((0x3006, 0x3007), (0x3021, 0x3029), (0x3038, 0x303A), (0x3041, 0x309F)),  # Hiragana and signs
        *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x1B000, 0x1B11F), (0x20000, 0x3FFFF)),
        # Scripts without spaces, whose words only a dictionary finds: Thai, Lao, Burmese, Khmer, Tai.
        *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF)),
        *((0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0x11700, 0x1173F)),
    )
)
_LETTER_CLASSES = (
    ("i", re.compile(f"[{''.join(_OWN)}]")),
    ("k", re.compile("[\u3031-\u3035\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d]")),
    ("h", re.compile("[\u05d0-\u05f2\ufb1d\ufb1f-\ufb4f]")),
)
_BETWEEN = {
    char: mark
    for mark, chars in (
        (":", ":·\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a"),
        (".", ".‘’\u2024\ufe52\uff07\uff0e"),
        (",", ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b"),
        ("'", "'"),
        ('"', '"'),
        ("0", "\u066b"),
        (" ", "\u200b"),
    )
    for char in chars
}
_CATEGORIES = {"Nd": "0", "Nl": "a", "No": "i", "Cf": "m", "Pc": "_"}
_CIRCLED_LETTERS = range(0x24B6, 0x24EA)

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


class _Parts(dict[int, str]):
    """For `str.translate`: every character's class, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _part(chr(code))
        return self[code]


def _part(char: str) -> str:
    category = unicodedata.category(char)
    if char in _BETWEEN:
        return _BETWEEN[char]
    if category[0] == "M":
        return "m"
    if category[0] == "L" or category == "Nl" or ord(char) in _CIRCLED_LETTERS:
        return next((part for part, chars in _LETTER_CLASSES if chars.match(char)), "a")
    return _CATEGORIES.get(category, " ")


_PARTS = _Parts()
_RUN = re.compile(r"im*|[ahk0][ahk0m]*")
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
    shape = text.translate(_PARTS)
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
    return tuple(text[match.start() : match.end()] for match in _RUN.finditer(text.translate(_PARTS)))


def nfc(text: str) -> str:
    """Text with letters and accents in composed form, so that both ways to write `é` compare equal."""
    return unicodedata.normalize("NFC", text)
