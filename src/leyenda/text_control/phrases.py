"""Phrases in texts: found by whole words in any casing, or at a text's start with accents forgiven."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from leyenda.characters import word_spans

_APOSTROPHES = "'’‘ʼ"

WHITE_SPACE = " \t\n\r\u00a0\u3000"

SEPARATORS = WHITE_SPACE + ",;:.!?…-–—，。：；、！？"
"""What may stand between a phrase at a text's start and what follows."""


def words_of(text: str) -> tuple[str, ...]:
    """Words as they are compared: case is folded, accents count, however they are written.

    Letters and digits make words, and everything else stands between them; in scripts without spaces every character
    is a word, so that a phrase is found wherever it stands.

    >>> words_of("A T-shirt, 白い猫")
    ('a', 't', 'shirt', '白', 'い', '猫')
    """
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return tuple(text[start:end] for start, end in word_spans(text))


def holds(words: Sequence[str], phrase: Sequence[str], beginning: int = 0) -> bool:
    """Whether a phrase stands in a text; both are of `words_of`.

    Args:
        words: of the text.
        phrase: at least one word.
        beginning: the phrase must reach beyond so many of the text's first words.

    >>> holds(words_of("A caterpillar"), words_of("cat")), holds(words_of("A cat!"), words_of("CAT"))
    (False, True)
    """
    phrase, length = tuple(phrase), len(phrase)
    first = max(0, beginning - length + 1)
    return any(tuple(words[at : at + length]) == phrase for at in range(first, len(words) - length + 1))


def end_of_start(text: str, phrase: str) -> int | None:
    """Where a text goes on after a phrase that it begins with; None when it does not begin with it.

    Case, accents, the kind of apostrophe and the width of white space make no difference. The phrase must end where a
    word ends. Punctuation and white space behind it belong to it.

    >>> text = "This image is: a dog"
    >>> text[end_of_start(text, "this image is") :]
    'a dog'
    >>> end_of_start("This image isn't sharp", "this image is")
    """
    wanted = "".join(char for char, _ in _folded(phrase)).strip()
    folded = _folded(text)
    blank = next((at for at, (char, _) in enumerate(folded) if char != " "), 0)
    found = folded[blank : blank + len(wanted)]
    if not wanted or "".join(char for char, _ in found) != wanted:
        return None
    after = blank + len(wanted)
    end = folded[after][1] if after < len(folded) else len(text)
    if found[-1][1] == end or any(first < end < last for first, last in word_spans(text)):
        return None
    if text[end : end + 1] in tuple(_APOSTROPHES) and text[end + 1 : end + 2].isalpha():
        return None
    while end < len(text) and text[end] in SEPARATORS:
        end += 1
    return end


def _folded(text: str) -> list[tuple[str, int]]:
    """Each letter without case and accents, with its place in the text; white space as one space."""
    folded: list[tuple[str, int]] = []
    for place, char in enumerate(text):
        if char.isspace():
            if not folded or folded[-1][0] != " ":
                folded.append((" ", place))
            continue
        plain = "'" if char in _APOSTROPHES else unicodedata.normalize("NFD", char).casefold()
        folded += [(one, place) for one in plain if not unicodedata.combining(one)]
    return folded
