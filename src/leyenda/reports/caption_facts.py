"""What captions are like, the model's beside people's, as rows for a table or a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leyenda.metrics.caption_statistics import CaptionStatistics
from leyenda.records import EvaluationResult
from leyenda.reports.texts import Wording


@dataclass(frozen=True, slots=True)
class CaptionFact:
    """One row: its name, what it means in a line, and its value for the model and for people (a dash: none)."""

    name: str
    about: str
    model: str
    people: str


def caption_facts(result: EvaluationResult, say: Wording) -> list[CaptionFact]:
    """Length, vocabulary, variety, copies and confidence; empty for a result that has no statistics."""
    if "model" not in result.statistics:
        return []
    ours, theirs = result.statistics["model"], result.statistics.get("people")

    def fact(key: str, value: Callable[[CaptionStatistics], float | None]) -> CaptionFact:
        def shown(whose: CaptionStatistics | None) -> str:
            found = value(whose) if whose else None
            if found is None:
                return "–"
            if key == "vocabulary":
                return say.count(int(found))
            return say.number(found, 1) if key == "mean_words" else say.percent(found)

        return CaptionFact(say(f"stat_{key}"), say(f"stat_{key}_about"), shown(ours), shown(theirs))

    rows = [
        fact("mean_words", lambda each: each.mean_words),
        fact("vocabulary", lambda each: each.vocabulary),
        fact("distinct_1", lambda each: each.distinct_ngrams[1]),
        fact("distinct_2", lambda each: each.distinct_ngrams[2]),
        fact("distinct_3", lambda each: each.distinct_ngrams[3]),
        fact("distinct_4", lambda each: each.distinct_ngrams[4]),
        fact("distinct", lambda each: each.distinct_captions),
    ]
    if ours.copied is not None:
        rows.append(fact("copied", lambda each: each.copied))
    if ours.mean_confidence is not None:
        rows.append(fact("mean_confidence", lambda each: each.mean_confidence))
    return rows
