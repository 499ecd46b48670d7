"""How many inputs of a run ended how."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from leyenda.records import Skipped
from leyenda.volume.entry import LOW_CONFIDENCE, Entry

LISTED = 20
"""Failures that are kept for the terminal; all of them stand in the output."""


@dataclass(slots=True)
class Totals:
    """Counts of a run.

    Args:
        captioned: inputs that got a caption in this run, copies of the same picture included.
        copied: those of them that got it from the same picture.
        kept: inputs that had a caption, or a reason for none, before this run.
        failed: inputs without caption, and the first of them with their reasons.
        to_review: inputs whose caption was not sure enough.
    """

    captioned: int = 0
    copied: int = 0
    kept: int = 0
    failed: int = 0
    to_review: int = 0
    failures: list[tuple[str, Skipped]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        if entry.error is None:
            self.kept += entry.kept
            self.captioned += not entry.kept
            self.copied += entry.copied
        elif entry.error.code == LOW_CONFIDENCE:
            self.to_review += 1
        else:
            self.failed += 1
            self.codes[entry.error.code] += 1
            if len(self.failures) < LISTED:
                self.failures.append((entry.image, entry.error))

    @property
    def inputs(self) -> int:
        """All of them."""
        return self.captioned + self.kept + self.failed + self.to_review

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "inputs": self.inputs,
            "captioned": self.captioned,
            "copied": self.copied,
            "kept": self.kept,
            "failed": self.failed,
            "to_review": self.to_review,
            "reasons": dict(sorted(self.codes.items())),
        }
