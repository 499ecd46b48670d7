"""The longest common subsequence of two token sequences, which every kind of ROUGE-L is made of."""

from __future__ import annotations

from collections import Counter
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


def union_of_common_subsequences(said: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> int:
    """How many tokens of the wanted lines stand in a longest common subsequence with any of the said lines.

    No token counts more often than the said lines hold it. Which of several longest subsequences is taken, and so the
    count, is as in the rouge-score library.

    Args:
        said: tokens of each line of a caption.
        wanted: tokens of each line of the other.

    >>> union_of_common_subsequences([["a", "dog"], ["a", "cat"]], [["a", "dog", "and", "a", "cat"]])
    4
    """
    if len(said) == len(wanted) == 1:
        return longest_common_subsequence(places_of(said[0]), len(said[0]), wanted[0])
    left_said = Counter(token for line in said for token in line)
    hits = 0
    for line in wanted:
        places = set().union(*(_one_longest(line, other) for other in said))
        for place in sorted(places):
            if left_said[line[place]] > 0:
                left_said[line[place]] -= 1
                hits += 1
    return hits


def _one_longest(wanted: Sequence[str], said: Sequence[str]) -> list[int]:
    """Places in `wanted` of one longest common subsequence: of several, the one that begins earliest in `said`."""
    table = [[0] * (len(said) + 1) for _ in range(len(wanted) + 1)]
    for row, token in enumerate(wanted, start=1):
        for column, other in enumerate(said, start=1):
            same = table[row - 1][column - 1] + 1
            table[row][column] = (
                same if token == other else max(table[row - 1][column], table[row][column - 1])
            )
    places = []
    row, column = len(wanted), len(said)
    while row and column:
        if wanted[row - 1] == said[column - 1]:
            row, column = row - 1, column - 1
            places.append(row)
        elif table[row][column - 1] > table[row - 1][column]:
            column -= 1
        else:
            row -= 1
    return places
