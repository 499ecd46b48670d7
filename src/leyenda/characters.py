"""What each character is to a word: the property Word_Break of Unicode Standard Annex 29, one letter a class."""

from __future__ import annotations

import re
import unicodedata

# a: a letter, h Hebrew letter, k Katakana, 0 digit, _ connector, m mark or format character, i a character that is a
# word of its own; : between letters, , between digits, . and ' between either, " between Hebrew letters.
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

_RUN = re.compile(r"im*|[ahk0][ahk0m]*")


class _Classes(dict[int, str]):
    """For `str.translate`: every character's class, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _class_of(chr(code))
        return self[code]


def _class_of(char: str) -> str:
    category = unicodedata.category(char)
    if char in _BETWEEN:
        return _BETWEEN[char]
    if category[0] == "M":
        return "m"
    if category[0] == "L" or category == "Nl" or ord(char) in _CIRCLED_LETTERS:
        return next((name for name, chars in _LETTER_CLASSES if chars.match(char)), "a")
    return _CATEGORIES.get(category, " ")


_CLASSES = _Classes()


def classes(text: str) -> str:
    """The class of each character, as a text of the same length.

    >>> classes("L'eau, 3 km")
    "a'aaa, 0 aa"
    """
    return text.translate(_CLASSES)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where runs of letters, their marks and digits begin and end; everything else separates, apostrophes too.

    An ideograph, or a letter of a script without spaces, is a run of its own.

    >>> word_spans("a cat's 猫だ")
    [(0, 1), (2, 5), (6, 7), (8, 9), (9, 10)]
    """
    return [match.span() for match in _RUN.finditer(classes(text))]
