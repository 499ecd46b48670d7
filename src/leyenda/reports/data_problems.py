"""What is wrong with the data, by kind, as `leyenda data check` found it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leyenda.reports.texts import Wording

if TYPE_CHECKING:
    from leyenda.data.check import CheckReport

SHOWN = 5
"""Problems of each kind that a page shows; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """All problems of one kind.

    Args:
        name: what it is called, in the page's language.
        count: how many there are.
        first: the first of them, in words, with file and line.
    """

    name: str
    count: int
    first: tuple[str, ...]


def problem_kinds(found: CheckReport, say: Wording) -> list[ProblemKind]:
    """Every kind of problem that was found, the most frequent first."""
    kinds = []
    for kind, count in found.counts().items():
        first = [problem for problem in found.problems if problem.kind == kind][:SHOWN]
        told = tuple(
            f"{each.file}:{each.line}: {each.message}" if each.line else each.message for each in first
        )
        kinds.append(ProblemKind(say(f"problem_{kind}"), count, told))
    return sorted(kinds, key=lambda each: -each.count)
