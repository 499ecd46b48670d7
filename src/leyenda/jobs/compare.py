"""Which of two sets of captions is better, and whether so many pictures can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leyenda.data.examples import Examples
from leyenda.errors import ScoreError
from leyenda.jobs.matching import Matched, match, pictures, some
from leyenda.jobs.measuring import Measure, measured, measures, ready
from leyenda.jobs.predictions_file import Predictions, read_predictions
from leyenda.jobs.references import EVERYTHING
from leyenda.jobs.score import frequencies, references_for, refuse_errors, tokenizer_for
from leyenda.judges import Equipment
from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.intervals import Difference, differences
from leyenda.records import ImageSource, Resampling

APART = 5
"""Pictures shown on which the two differ most."""

EQUAL = 1e-12
"""Scores of one picture that differ by less are a tie."""

RANKING = ("cider_d", "wer")
"""The score by which pictures are ranked: the first of these that is computed, or else the first that ranks."""


@dataclass(frozen=True)
class Compared:
    """One score of both.

    Args:
        metric: which.
        a: of the first captions.
        b: of the second captions.
        difference: interval and p-value of `b - a`; None for a score that is no sum over pictures.
        wins: pictures on which b is better; None for a score that single pictures have not.
        losses: pictures on which a is better.
        ties: pictures on which both are equal.
    """

    metric: Measure
    a: float
    b: float
    difference: Difference | None
    wins: int | None
    losses: int | None
    ties: int | None

    @property
    def better(self) -> str:
        """`a` or `b` when the difference's interval leaves out 0 and its p-value is at most 0.05; else empty."""
        found = self.difference
        if found is None or found.interval is None or found.p_value > 0.05:
            return ""
        if found.interval[0] <= 0 <= found.interval[1]:
            return ""
        return "b" if (self.b < self.a) == (self.metric.direction == "lower") else "a"

    def as_json(self) -> dict[str, object]:
        """Its part of what `leyenda compare --json` prints."""
        found = self.difference
        return {
            "a": self.a,
            "b": self.b,
            "difference": self.b - self.a,
            "interval": list(found.interval) if found and found.interval else None,
            "p_value": found.p_value if found else None,
            "better": self.better or None,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
        }


@dataclass(frozen=True)
class Apart:
    """One picture on which the two differ.

    Args:
        id: its name.
        a: the first caption.
        b: the second caption.
        references: what people wrote.
        difference: `b - a` in the score by which pictures are ranked.
        image: where the picture lies, if it is known.
    """

    id: str
    a: str
    b: str
    references: tuple[str, ...]
    difference: float
    image: ImageSource | None = None


@dataclass(frozen=True)
class Comparison:
    """What `leyenda compare` found out.

    Args:
        a: name of the first captions.
        b: name of the second captions.
        images: how many pictures were compared.
        scores: every score of both.
        ranking: the score by which pictures are ranked; empty when none ranks them.
        b_better: pictures on which b is better by most, the widest apart first.
        a_better: pictures on which a is better by most, the widest apart first.
        normalization: metric name -> how the text was prepared.
        resampling: how intervals and p-values were computed.
        notes: how files were matched and what was left out, one sentence each.
    """

    a: str
    b: str
    images: int
    scores: tuple[Compared, ...]
    ranking: str
    b_better: tuple[Apart, ...]
    a_better: tuple[Apart, ...]
    normalization: Mapping[str, str]
    resampling: Resampling
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What it comes to, in words."""
        return verdict(self.scores, self.images)

    def as_json(self) -> dict[str, object]:
        """The object that `leyenda compare --json` prints."""
        return {
            "a": self.a,
            "b": self.b,
            "images": self.images,
            "verdict": self.verdict,
            "metrics": {each.metric.name: each.as_json() for each in self.scores},
            "normalization": dict(self.normalization),
            "resampling": self.resampling.as_json() | {"permutations": self.resampling.permutations},
            "ranked_by": self.ranking or None,
            "b_better": [_apart_json(each) for each in self.b_better],
            "a_better": [_apart_json(each) for each in self.a_better],
            "notes": list(self.notes),
        }


def compare(
    a: Path | str,
    b: Path | str,
    references: Path | str | Examples | None = None,
    *,
    metric_names: Sequence[str] | None = None,
    objects: Path | str | None = None,
    annotations: Path | str | None = None,
    language: str = "en",
    tokenizer: str | None = None,
    df: Path | str | None = None,
    only_common: bool = False,
    seed: int = 0,
    equipment: Equipment | None = None,
    split: str = EVERYTHING,
    **reading: Any,
) -> Comparison:
    """Compare two sets of captions of the same pictures.

    Args:
        a: see `read_predictions`.
        b: see `read_predictions`.
        references: see `read_references`; None takes those in the files, where both have the same.
        metric_names: as for `leyenda.jobs.score.score`.
        objects: as for `leyenda.jobs.score.score`.
        annotations: as for `leyenda.jobs.score.score`.
        language: as for `leyenda.jobs.score.score`.
        tokenizer: as for `leyenda.jobs.score.score`.
        df: as for `leyenda.jobs.score.score`.
        only_common: compare the pictures that both captioned and that have references; say which were left out.
        seed: of intervals and permutations.
        equipment: as for `leyenda.jobs.score.score`.
        split: the part of the references to take, or `all`.
        reading: more arguments of `leyenda.data.load_examples`, for the references.

    Raises:
        ScoreError: the files do not fit together, or are not what they should be.
        DataError: a file or source cannot be read.
    """
    words = tokenizer or tokenizer_for(language)
    weights = frequencies(df, words)
    wanted = measures(metric_names, objects, annotations)
    files = read_predictions(a), read_predictions(b)
    for file in files:
        refuse_errors(file, only_common)
    there = references_for(files, references, split, reading)
    found = tuple(
        match(list(file.captions), there.pictures, only_common=only_common, whose=str(file.path))
        for file in files
    )
    if references is None:
        _refuse_other_references(files[1], found[1])
    said_a, said_b = (_by_reference(file, matched) for file, matched in zip(files, found, strict=True))
    common = [each for each in there.pictures if each.id in said_a and each.id in said_b]
    if not common:
        raise ScoreError(
            f"No picture has a caption in both {files[0].path} and {files[1].path}.", "Name others."
        )
    in_a = Corpus.checked(
        {each.id: said_a[each.id] for each in common},
        {each.id: each.captions for each in common},
        words,
        weights,
    )
    in_b = in_a.with_hypotheses([said_b[each.id] for each in common])
    how = Resampling(seed=seed)
    tools = ready(wanted, common, equipment or Equipment())
    measured_a, measured_b = measured(wanted, in_a, tools), measured(wanted, in_b, tools)
    ranking = _ranking(wanted, measured_a)
    lies = {each.id: each.image for each in common}
    b_better, a_better = _apart(ranking, measured_a, measured_b, in_a, in_b, lies)
    return Comparison(
        a=str(a),
        b=str(b),
        images=len(common),
        scores=_compared(wanted, measured_a, measured_b, how),
        ranking=ranking.name if ranking else "",
        b_better=b_better,
        a_better=a_better,
        normalization={name: each.normalization for name, each in measured_a.items()},
        resampling=how,
        notes=tuple(_notes(files, found)),
    )


def verdict(scores: Sequence[Compared], images: int) -> str:
    """What differences come to, in one or two sentences.

    A difference counts when its 95% interval leaves out 0 and its p-value is at most 0.05.
    """
    judged = [each for each in scores if each.difference is not None]
    parts = []
    for side in ("b", "a"):
        names = [each.metric.name for each in judged if each.better == side]
        if names:
            parts.append(f"{side.upper()} is better on {', '.join(names)}.")
    open_names = [each.metric.name for each in judged if not each.better]
    if judged and len(open_names) == len(judged):
        return f"Neither is better: every difference is within what {pictures(images)} can tell."
    if open_names:
        parts.append(f"On {', '.join(open_names)} the difference is within what {pictures(images)} can tell.")
    return " ".join(parts) or "None of these scores can be compared picture by picture."


def _by_reference(file: Predictions, matched: Matched) -> dict[str, str]:
    return {reference.id: file.captions[name].caption for name, reference in matched.pairs.items()}


def _refuse_other_references(file: Predictions, matched: Matched) -> None:
    """The references stand in both files; then they must be the same, whichever is read."""
    for name, reference in matched.pairs.items():
        if file.captions[name].references != reference.captions:
            raise ScoreError(
                f"The two files have different references for {reference.id!r}.",
                "Name the right ones with --references SOURCE.",
            )


def _compared(
    metrics: Sequence[Measure], a: Mapping[str, Measurement], b: Mapping[str, Measurement], how: Resampling
) -> tuple[Compared, ...]:
    summed = [name for name in a if a[name].statistics is not None and b[name].statistics is not None]
    found = differences(
        {name: each for name in summed if (each := a[name].statistics)},
        {name: each for name in summed if (each := b[name].statistics)},
        how,
    )
    rows = []
    for metric in metrics:
        first, second = a[metric.name], b[metric.name]
        counts = _wins(metric, first, second)
        rows.append(Compared(metric, first.value, second.value, found.get(metric.name), *counts))
    return tuple(rows)


def _gains(metric: Measure, a: Measurement, b: Measurement) -> list[float] | None:
    """By how much b is better than a, picture by picture."""
    if a.per_image is None or b.per_image is None:
        return None
    sign = -1.0 if metric.direction == "lower" else 1.0
    gains: list[float] = (sign * (b.per_image - a.per_image)).tolist()
    return gains


def _wins(metric: Measure, a: Measurement, b: Measurement) -> tuple[int | None, int | None, int | None]:
    gains = _gains(metric, a, b)
    if gains is None:
        return None, None, None
    wins = sum(gain > EQUAL for gain in gains)
    losses = sum(gain < -EQUAL for gain in gains)
    return wins, losses, len(gains) - wins - losses


def _ranking(wanted: Sequence[Measure], found: Mapping[str, Measurement]) -> Measure | None:
    able = {each.name: each for each in wanted if found[each.name].per_image is not None}
    return next((able[name] for name in (*RANKING, *able) if name in able), None)


def _apart(
    ranking: Measure | None,
    a: Mapping[str, Measurement],
    b: Mapping[str, Measurement],
    in_a: Corpus,
    in_b: Corpus,
    lies: Mapping[str, ImageSource | None],
) -> tuple[tuple[Apart, ...], tuple[Apart, ...]]:
    """The pictures on which b is better by most, and those on which a is."""
    if ranking is None:
        return (), ()
    gains = _gains(ranking, a[ranking.name], b[ranking.name]) or []
    first, second = a[ranking.name].per_image, b[ranking.name].per_image
    assert first is not None
    assert second is not None
    order = sorted(
        range(len(gains)), key=lambda place: -gains[place]
    )  # stable: equals stay in the file's order
    shown = [place for place in order if gains[place] > EQUAL][:APART]
    hidden = [place for place in reversed(order) if gains[place] < -EQUAL][:APART]

    def apart(place: int) -> Apart:
        return Apart(
            in_a.ids[place],
            in_a.hypotheses[place],
            in_b.hypotheses[place],
            in_a.references[place],
            float(second[place] - first[place]),
            lies[in_a.ids[place]],
        )

    return tuple(map(apart, shown)), tuple(map(apart, hidden))


def _notes(files: Sequence[Predictions], found: Sequence[Matched]) -> list[str]:
    notes = []
    for file, matched in zip(files, found, strict=True):
        notes += [f"{file.path}: {note}" for note in matched.notes()]
        if file.skipped:
            notes.append(f"{file.path}: errors in place of captions for {some(tuple(file.skipped))}.")
    return notes


def _apart_json(each: Apart) -> dict[str, object]:
    return {
        "image": each.id,
        "a": each.a,
        "b": each.b,
        "references": list(each.references),
        "difference": each.difference,
    }
