"""The longest common subsequence of two token sequences, which both kinds of ROUGE-L are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def places_of(tokens: Sequence[str]) -> dict[str, int]:
    """Where each token stands, as the bits of a number.

    >>> places_of(["a", "dog", "a"])
    {'a': 5, 'dog': 2}
    """
    places: dict[str, int] = {}
    for place, token in enumerate(tokens):
        places[token] = places.get(token, 0) | (1 << place)
    return places


def longest_common_subsequence(places: Mapping[str, int], length: int, tokens: Sequence[str]) -> int:
    """Length of the longest sequence of tokens that stands, in order, in both captions.

    Bit-parallel: one addition per token instead of a table (Hyyrö 2004, "Bit-parallel LCS-length computation
    revisited").

    Args:
        places: `places_of` the one caption.
        length: how many tokens that caption has.
        tokens: the other caption.

    >>> longest_common_subsequence(places_of("a brown dog runs".split()), 4, "a dog runs fast".split())
    3
    """
    everywhere = (1 << length) - 1
    unmatched = everywhere  # a zero at bit i: the longest subsequence grows at place i of the first caption
    for token in tokens:
        here = places.get(token)
        if here is not None:
            open_here = unmatched & here
            unmatched = ((unmatched + open_here) | (unmatched - open_here)) & everywhere
    return length - unmatched.bit_count()
