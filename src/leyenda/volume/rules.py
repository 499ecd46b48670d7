"""What is written of what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leyenda.records import Skipped
from leyenda.volume.engine import Outcome
from leyenda.volume.entry import LOW_CONFIDENCE, Entry, entry_of
from leyenda.volume.existing import SKIP, joined


@dataclass(frozen=True, slots=True)
class Rules:
    """What is written of what the model says.

    Args:
        existing: what is done where a picture has a caption; one of `leyenda.volume.existing.MODES`.
        retry_failed: try inputs again that an earlier run could not caption.
        min_confidence: captions below it go to the review list; None writes all.
    """

    existing: str = SKIP
    retry_failed: bool = False
    min_confidence: float | None = None

    def settings(self) -> Mapping[str, Any]:
        """Those that decide the result."""
        return {"existing": self.existing, "min_confidence": self.min_confidence}

    def entry(self, outcome: Outcome) -> Entry:
        """What is written for what an engine gave."""
        task = outcome.task
        if task.settled is not None:
            return task.settled
        assert outcome.result is not None
        entry = entry_of(task.item.name, outcome.result, digest=outcome.digest, copied=outcome.copied)
        if entry.caption is None or entry.confidence is None:
            return entry
        if self.min_confidence is not None and entry.confidence < self.min_confidence:
            low = f"The caption's confidence, {entry.confidence:.3f}, is below {self.min_confidence:g}."
            return replace(entry, caption=None, proposed=entry.caption, error=Skipped(LOW_CONFIDENCE, low))
        text = joined(self.existing, task.was, entry.caption)
        return replace(
            entry, caption=text, said=None if text == entry.caption else entry.caption, was=task.was
        )
