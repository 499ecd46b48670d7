"""The Penn Treebank caption tokenizer of the official COCO caption evaluation, in Python.

The official evaluation runs a Java lexer over the captions, lower-cases its tokens and drops punctuation. Here the
same token classes are written as regular expressions, with the rule of such lexers: at every position the class with
the longest match wins, what it must look ahead at included; the earlier class wins a tie.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from leyenda.metrics.ptb_rules import (
    BEFORE_NAME,
    ENDING,
    LOW_QUOTE,
    NOTHING,
    SPACE,
    WIDE_SPACE,
    rules,
    stand_ins,
)

DROPPED_TOKENS = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What the official evaluation removes. Brackets survive it, since it compares after lower-casing (`-lrb-`)."""

CACHED_CAPTIONS = 1 << 16
"""How many captions' tokens are remembered: training scores the same references again and again."""


@lru_cache(maxsize=CACHED_CAPTIONS)
def ptb_tokens(caption: str) -> tuple[str, ...]:
    """Tokens of one caption, as the official COCO caption evaluation makes them.

    Tokens are lower case; punctuation is dropped. A line break counts as a space. A token can hold a no-break space
    (`2 1/2`, telephone numbers). Where the official lexer peeks into the *next* caption (`plan B.`, `:)`), this one
    acts as if the next caption began with a lower-case letter.

    Args:
        caption: one caption in any language; the rules are those for English.

    Returns:
        The tokens, none of them empty.

    >>> ptb_tokens("A man's T-shirt, and he can't swim.")
    ('a', 'man', "'s", 't-shirt', 'and', 'he', 'ca', "n't", 'swim')
    """
    words = _plain_words(caption)
    return words if words is not None else _lexed(caption)


# The quick way. Most captions are plain words, and between spaces a plain word can only be itself. So can a word with
# digits after a letter, or with hyphens between letters; of a possessive the lexer parts the 's.

_PLAIN = re.compile(r"[A-Za-z ,]*[.]?\s*")
_NEARLY_PLAIN = re.compile(r"[A-Za-z0-9 ,'-]*[.]?\s*")
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9]*|[A-Za-z]{2,}(?:-[A-Za-z]{2,})+")
_POSSESSIVE = re.compile(r"([A-Za-z]+)('[sS])")
_KEEPS_ITS_STOP = re.compile(f"{ENDING}|{BEFORE_NAME}|[A-Za-z]")
_SPLIT_WORDS = frozenset(["cannot", "gonna", "gotta", "lemme", "gimme", "wanna"])


def _plain_words(caption: str) -> tuple[str, ...] | None:
    """Tokens of a caption of words, commas and one full stop at its end; None when it needs the lexer."""
    plain = _PLAIN.fullmatch(caption)
    if not plain and (not _NEARLY_PLAIN.fullmatch(caption) or ("-" in caption and _comma_inside(caption))):
        return None
    stopped = caption.rstrip().endswith(".")
    words = caption.replace(",", " ").replace(".", " ").split()
    if stopped and words and (_KEEPS_ITS_STOP.fullmatch(words[-1]) or not words[-1].isalpha()):
        return None
    tokens: Sequence[str] | None = words if plain else _parted(words)
    if tokens is None:
        return None
    lower = tuple(word.lower() for word in tokens)
    return None if not _SPLIT_WORDS.isdisjoint(lower) else lower


def _parted(words: Sequence[str]) -> Sequence[str] | None:
    """Words with their 's apart; None when one of them needs the lexer."""
    tokens: list[str] = []
    for word in words:
        if _WHOLE.fullmatch(word):
            tokens.append(word)
        elif possessive := _POSSESSIVE.fullmatch(word):
            tokens += possessive.groups()
        else:
            return None
    return tokens


def _comma_inside(caption: str) -> bool:
    """Whether a comma touches what follows: the lexer takes `a,b-c` for one word."""
    return any(not after[:1].isspace() for after in caption.split(",")[1:] if after)


# The lexer.

_BETWEEN_TOKENS = re.compile(rf"{SPACE}*")
_SPACES_OF_ADDRESSES = frozenset(["\xa0", WIDE_SPACE])
_STRAIGHTENED = re.compile(r"(?:’|&apos;)(?:[msd]|re|ve|ll)|n(?:[’‘‛]|&apos;)t", re.IGNORECASE)
_INITIALS = re.compile(r"[a-z]+(?:(?:\+|&amp;|&)[a-z]+)+\.?")
_QUOTES = {
    "'": "'",
    "’": "'",
    "`": "`",
    "‘": "`",
    "‛": "`",
    "‹": "`",
    "›": "'",
    "“": "``",
    "”": "''",
    '"': "''",
    LOW_QUOTE: "",  # as it stands
}
_SPELLED = {
    "¢": "cents", "£": "#", "€": "$", "¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3",
    "–": "--", "…": "...", "&mdash;": "--", "&ndash;": "--", "&md;": "--",
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "''", "&apos;": "'", "&nbsp;": "", "‐": "", NOTHING: "",
}  # fmt: skip
"""Tokens that the official tokenizer writes in another way."""


def _lexed(caption: str) -> tuple[str, ...]:
    shape = caption.translate(stand_ins) + "\nt"  # as if another caption followed
    written = []
    place = _start(shape, 0)
    while place < len(caption):
        end, kept = _end(shape, place)
        token = caption[place:end].lower()
        written.append(_kept(token) if kept else _spelled(token, shape[place:end].lower()))
        place = _start(shape, end)
    if written:
        written[-1] = written[-1].rstrip()  # as the official evaluation does with every line
    return tuple(token for token in written if token and token not in DROPPED_TOKENS)


def _start(shape: str, place: int) -> int:
    """Where the next token begins: behind the spaces, but an address can begin with a wide or no-break space."""
    gap = _BETWEEN_TOKENS.match(shape, place)
    after = gap.end() if gap else place
    if after > place and shape[place] in _SPACES_OF_ADDRESSES and _end(shape, place)[0] > after:
        return place
    return after


def _end(shape: str, place: int) -> tuple[int, bool]:
    """Where the token ends that begins here, and whether it is kept as it stands."""
    longest, end, kept = 0, place + 1, False
    for rule in rules()[shape[place]]:
        match = rule.pattern.match(shape, place)
        if match and match.end() > longest:
            longest, end, kept = match.end(), match.end(1), rule.kept
    return end, kept


def _kept(token: str) -> str:
    """A tag, an address or a file name in lower case."""
    return token.replace(" ", "\xa0")


def _spelled(token: str, shape: str) -> str:
    """Another lower-case token as the official tokenizer writes it."""
    kinds = set(shape)
    if token.isalnum() and shape not in _SPELLED:
        return token
    if shape in _SPELLED:
        return _SPELLED[shape]
    if kinds <= _QUOTES.keys():
        return "".join(_QUOTES[mark] or char for mark, char in zip(shape, token, strict=True))
    if kinds == {"-"}:
        return token if len(token) > 4 else "--"
    if kinds <= set(". \xa0"):
        return "..."
    if _STRAIGHTENED.fullmatch(shape):
        return shape.replace("&apos;", "'").replace("’", "'").replace("‘", "`").replace("‛", "`")
    for written, official in (("(", "-lrb-"), (")", "-rrb-"), (" ", "\xa0")):
        token = token.replace(written, official)
    token = token.replace("\xad", "") or "-"
    if _INITIALS.fullmatch(token):
        token = token.replace("&amp;", "&")
    return token
