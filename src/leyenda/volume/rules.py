"""What is written of what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from leyenda.records import Skipped
from leyenda.text_control import TextRules
from leyenda.volume.engine import Outcome
from leyenda.volume.entry import LOW_CONFIDENCE, Entry, entry_of
from leyenda.volume.existing import OVERWRITE, SKIP, joined, words_in


@dataclass(frozen=True, slots=True)
class Rules:
    """What is written of what the model says.

    Args:
        existing: what is done where a picture has a caption; one of `leyenda.volume.existing.MODES`.
        text: what the captions hold to already; where two are joined, it goes round both.
        retry_failed: try inputs again that an earlier run could not caption.
        min_confidence: captions below it go to the review list; None writes all.
    """

    existing: str = SKIP
    text: TextRules = field(default_factory=TextRules)
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
        if self._is_unsure(entry):
            low = f"The caption's confidence, {entry.confidence:.3f}, is below {self.min_confidence:g}."
            entry = replace(_unsaid(entry), error=Skipped(LOW_CONFIDENCE, low))
        if task.earlier is None:
            return entry
        return self._beside_earlier(entry, task.earlier)

    def _is_unsure(self, entry: Entry) -> bool:
        if entry.confidence is None or self.min_confidence is None:
            return False
        return entry.confidence < self.min_confidence

    def _beside_earlier(self, entry: Entry, earlier: Entry) -> Entry:
        """What is written where there was a caption, or a reason: a caption goes only for a new one."""
        entry = replace(entry, image=earlier.image, others=earlier.others)
        if earlier.caption is None:
            return entry
        if entry.error is not None:
            stays = Skipped(entry.error.code, f"{entry.error.message} The caption that was there stays.")
            return replace(entry, caption=earlier.caption, confidence=earlier.confidence, error=stays)
        assert entry.caption is not None
        text = joined(self.existing, earlier.caption, entry.caption, self.text)
        if self.existing != OVERWRITE and text == words_in(earlier.caption):  # it was joined to it before
            return replace(
                earlier,
                proposed=entry.caption,
                proposed_confidence=entry.confidence,
                digest=entry.digest,
                copied=entry.copied,
                kept=True,
            )
        said = None if text == entry.caption else entry.caption
        return replace(
            entry, caption=text, said=said, was=None if text == earlier.caption else earlier.caption
        )


def _unsaid(entry: Entry) -> Entry:
    """The entry of a caption that is not written."""
    return replace(
        entry,
        caption=None,
        confidence=None,
        proposed=entry.caption,
        proposed_confidence=entry.confidence,
    )
