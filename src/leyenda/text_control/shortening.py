"""A caption cut to so many words, so that it does not end in the middle of a thought."""

from __future__ import annotations

import re

from leyenda.characters import classes, word_spans

_LEFT_HANGING_WORDS = """
a an the this that these those its his her their my our your some another
and or but nor with without of in on at to for from by as is are was were be being has have
into onto over under near beside behind between through while who which where when very
un una unos unas el la los las lo este esta estos estas ese esa su sus mi tu otro otra
y e o u pero ni con sin de del en a al para por desde hasta como es son está están era fue
sobre bajo entre junto tras mientras que quien donde cuando muy
"""

_LEFT_HANGING = frozenset(_LEFT_HANGING_WORDS.split())
"""English and Spanish words that no caption ends with."""

_WHOLE_SENTENCE = re.compile(r"[^\W\d_]*[a-zà-ÿ]{3}[.!?…]+[\"'”’»)]*(?=\s)|[。！？](?=.)")
_FINAL_MARKS = re.compile(r"[.!?…。！？]+$")
_LOOSE_END = " \t\n,;:-–—、，；：([{«“¿¡"


def shortened(text: str, most_words: int) -> str:
    """At most so many of a text's words.

    Words are what stands between white space; in scripts without spaces every character counts as one. When some
    words have to go, the text ends with its last whole sentence among the first words, or else before the articles,
    prepositions and the like (English and Spanish) that would be left hanging, with the full stop that it had.

    Args:
        text: one caption.
        most_words: from 1 up.

    >>> shortened("A dog sits on the grass near a house.", 5)
    'A dog sits.'
    >>> shortened("two cats", 5)
    'two cats'
    """
    spans = _words(text)
    if len(spans) <= most_words:
        return text
    kept = spans[:most_words]
    begun = text[: spans[most_words][0]]
    ends = [match.end() for match in _WHOLE_SENTENCE.finditer(begun)]
    if ends:
        return text[: ends[-1]]
    while len(kept) > 1 and text[slice(*kept[-1])].strip(_LOOSE_END + ".").casefold() in _LEFT_HANGING:
        del kept[-1]
    cut = _FINAL_MARKS.sub("", text[: kept[-1][1]].rstrip(_LOOSE_END))
    final = _FINAL_MARKS.search(text.rstrip())
    return cut + (final.group() if final else "")


def _words(text: str) -> list[tuple[int, int]]:
    """Where each word begins and ends; marks that stand alone are none."""
    words = []
    for match in re.finditer(r"\S+", text):
        first, last = match.span()
        runs = [(first + start, first + end) for start, end in word_spans(match.group())]
        if "i" in classes(match.group()):
            words += runs
        elif runs:
            words.append((first, last))
    return words
