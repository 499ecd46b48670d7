"""Which words a model misses, invents and mistakes for others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from leyenda.records import Prediction
from leyenda.reports.differences import compare, words

Key = TypeVar("Key", str, tuple[str, str])

SAMPLE = 1000
"""Patterns are counted on at most so many pictures; more would change no row of the tables."""

SHOWN = 12
"""Rows of each table."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word and how often it goes wrong.

    Args:
        word: the word.
        times: on how many pictures it goes wrong.
        of: on how many pictures it could: people say it (missed) or the model does (invented).
    """

    word: str
    times: int
    of: int


@dataclass(frozen=True, slots=True)
class Swap:
    """A word of people, the word that the model wrote in its place, and on how many pictures."""

    person: str
    model: str
    times: int


@dataclass(frozen=True, slots=True)
class ErrorPatterns:
    """The commonest word errors, most frequent first.

    Args:
        missed: words that at least half of a picture's references have and its caption lacks.
        invented: words of a caption that none of its references has.
        swapped: an invented word where the nearest reference has another one, on at least two pictures.
        images: how many pictures were looked at.
    """

    missed: tuple[Pattern, ...]
    invented: tuple[Pattern, ...]
    swapped: tuple[Swap, ...]
    images: int


def error_patterns(predictions: Sequence[Prediction]) -> ErrorPatterns:
    """Count the word errors of captions against all their references.

    Args:
        predictions: those without references are left out; of more than `SAMPLE`, a fixed random sample is taken.

    >>> found = error_patterns([Prediction(id, "a cat", references=("a dog", "my dog", "dogs")) for id in ("1", "2")])
    >>> found.missed, found.swapped
    ((Pattern(word='dog', times=2, of=2),), (Swap(person='dog', model='cat', times=2),))
    """
    judged = [prediction for prediction in predictions if prediction.references]
    if len(judged) > SAMPLE:
        judged = random.Random(0).sample(judged, SAMPLE)  # noqa: S311 - a sample, not a secret
    missed: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    invented: Counter[str] = Counter()
    said: Counter[str] = Counter()
    swapped: Counter[tuple[str, str]] = Counter()
    for prediction in judged:
        own = {word.key for word in words(prediction.caption)}
        people = Counter(
            key for reference in prediction.references for key in {w.key for w in words(reference)}
        )
        agreed = {key for key, times in people.items() if 2 * times >= len(prediction.references)}
        made_up = own - people.keys()
        expected.update(agreed)
        missed.update(agreed - own)
        said.update(own)
        invented.update(made_up)
        comparison = compare(prediction.caption, prediction.references) if made_up else None
        if comparison:
            swapped.update({pair for pair in comparison.swaps() if pair[1] in made_up})
    return ErrorPatterns(
        missed=_commonest(missed, expected),
        invented=_commonest(invented, said),
        swapped=tuple(Swap(*pair, times) for pair, times in _ordered(swapped)[:SHOWN] if times > 1),
        images=len(judged),
    )


def _commonest(wrong: Counter[str], all_times: Counter[str]) -> tuple[Pattern, ...]:
    return tuple(Pattern(word, times, all_times[word]) for word, times in _ordered(wrong)[:SHOWN])


def _ordered(counter: Counter[Key]) -> list[tuple[Key, int]]:
    """Most frequent first, ties by the alphabet: the same captions in any order give the same table."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
