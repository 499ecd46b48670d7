"""Word by word: how a caption differs from the human caption nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from leyenda.metrics.word_error import normalized

Kind = Literal["same", "missing", "extra"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was written, and the key it is compared by."""

    written: str
    key: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of a comparison.

    Args:
        kind: `same`: both say it; `missing`: only the person says it; `extra`: only the model.
        word: the word (as the model wrote it, where both say it).
    """

    kind: Kind
    word: Word


@dataclass(frozen=True, slots=True)
class Comparison:
    """A caption beside its nearest reference.

    Args:
        nearest: index of that reference.
        errors: fewest words to replace, add or remove that make one text the other.
        marks: the words of both texts, in reading order.
    """

    nearest: int
    errors: int
    marks: tuple[Mark, ...]

    def runs(self) -> list[tuple[Kind, str]]:
        """Neighbouring words of one kind as one text, in reading order."""
        return [
            (kind, " ".join(mark.word.written for mark in run))
            for kind, run in groupby(self.marks, key=lambda mark: mark.kind)
        ]

    def swaps(self) -> list[tuple[str, str]]:
        """Pairs (what the person wrote, what the model wrote) where as many words stand for as many others."""
        pairs: list[tuple[str, str]] = []
        for same, run in groupby(self.marks, key=lambda mark: mark.kind == "same"):
            if same:
                continue
            changed = list(run)
            missing = [mark.word.key for mark in changed if mark.kind == "missing"]
            extra = [mark.word.key for mark in changed if mark.kind == "extra"]
            if len(missing) == len(extra):
                pairs += zip(missing, extra, strict=True)
        return pairs


def words(text: str) -> list[Word]:
    """The words of a text, compared as the word error rate compares them: without case and punctuation.

    >>> [word.key for word in words("A Dog's bone, isn't it ?")]
    ['a', 'dogs', 'bone', 'isnt', 'it']
    """
    pairs = ((piece, normalized(piece)) for piece in text.split())
    return [Word(written, key) for written, key in pairs if key]


def compare(caption: str, references: Sequence[str]) -> Comparison | None:
    """Set a caption beside the reference that the word error rate (`wer`) scores it against.

    Args:
        caption: what the model says.
        references: what people said.

    Returns:
        The comparison, or None without references.

    >>> found = compare("a cat sleeps", ["two dogs run", "a dog sleeps"])
    >>> found.nearest, found.errors, [(mark.kind, mark.word.key) for mark in found.marks]
    (1, 1, [('same', 'a'), ('missing', 'dog'), ('extra', 'cat'), ('same', 'sleeps')])
    """
    said = words(caption)
    best: Comparison | None = None
    lowest = (0.0, 0)
    for index, reference in enumerate(references):
        wanted = words(reference)
        table = _distances(wanted, said)
        errors = table[-1][-1]
        rate = (errors / max(1, len(wanted)), errors)
        if best is None or rate < lowest:
            lowest = rate
            best = Comparison(index, errors, tuple(_trace(table, wanted, said)))
    return best


def _distances(wanted: Sequence[Word], said: Sequence[Word]) -> list[list[int]]:
    """Levenshtein's table: row i, column j holds the distance of the first i wanted words to the first j said."""
    table = [list(range(len(said) + 1))]
    for i, want in enumerate(wanted, start=1):
        row = [i]
        above = table[-1]
        for j, say in enumerate(said, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (want.key != say.key)))
        table.append(row)
    return table


def _trace(table: Sequence[Sequence[int]], wanted: Sequence[Word], said: Sequence[Word]) -> list[Mark]:
    """One cheapest way through the table; in a run of changes the person's words stand before the model's."""
    i, j = len(wanted), len(said)
    steps: list[tuple[Mark, ...]] = []
    while i or j:
        here = table[i][j]
        if i and j and wanted[i - 1].key == said[j - 1].key and here == table[i - 1][j - 1]:
            steps.append((Mark("same", said[j - 1]),))
            i, j = i - 1, j - 1
        elif i and j and here == table[i - 1][j - 1] + 1:
            steps.append((Mark("missing", wanted[i - 1]), Mark("extra", said[j - 1])))
            i, j = i - 1, j - 1
        elif i and here == table[i - 1][j] + 1:
            steps.append((Mark("missing", wanted[i - 1]),))
            i -= 1
        else:
            steps.append((Mark("extra", said[j - 1]),))
            j -= 1
    marks = [mark for step in reversed(steps) for mark in step]
    ordered: list[Mark] = []
    for same, run in groupby(marks, key=lambda mark: mark.kind == "same"):
        group = list(run)
        ordered += group if same else sorted(group, key=lambda mark: mark.kind == "extra")
    return ordered
