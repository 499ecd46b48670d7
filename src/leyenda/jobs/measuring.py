"""Metrics and judges under one list of names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from leyenda.data.examples import Examples
from leyenda.errors import ScoreError, near
from leyenda.jobs.references import Reference
from leyenda.judges import JUDGES, Equipment, Judge, check, measurements
from leyenda.metrics import METRICS, Metric
from leyenda.metrics.chair import CHAIR, ObjectTerms, chair_metrics, read_annotations
from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.registry import USUAL

Measure = Metric | Judge


def measures(
    names: Sequence[str] | None, objects: Path | str | None = None, annotations: Path | str | None = None
) -> tuple[Measure, ...]:
    """The metrics and judges of these names, in the given order, without repeats; the usual metrics when None.

    Args:
        names: of metrics and judges.
        objects: a file of objects and words for them; with it, CHAIR is among the metrics, named or not.
        annotations: a file that says which of them each picture holds, where the references alone should not.

    Raises:
        ScoreError: there is none of one of the names (near ones are listed), or a file is not what it should be.
    """
    known: dict[str, Measure] = {**METRICS, **JUDGES}
    if objects is not None:
        held = read_annotations(annotations) if annotations is not None else None
        known |= {each.name: each for each in chair_metrics(ObjectTerms.read(objects), held)}
    elif annotations is not None:
        raise ScoreError("Annotations say nothing without a list of objects.", "Add --objects FILE.")
    chair = [name for name in CHAIR if name in known]
    wanted = [each.name for each in USUAL] if names is None else names
    for name in wanted:
        if name in CHAIR and not chair:
            raise ScoreError(f"{name} needs a list of objects.", "Name its file: --objects FILE")
        if name not in known:
            hint = near(name, known) or "They are: " + ", ".join(known) + "."
            raise ScoreError(f"There is no metric {name!r}.", hint)
    return tuple(known[name] for name in dict.fromkeys([*wanted, *chair]))


def ready(
    wanted: Iterable[Measure], references: Iterable[Reference] | Examples, equipment: Equipment
) -> Equipment:
    """The equipment with the pictures that are there, once everything that judges need is seen to be given.

    Raises:
        JudgeError: something is absent; all that is absent is named at once.
        MissingExtra: the optional part of leyenda with the Java programs is absent.
    """
    judges = [each for each in wanted if isinstance(each, Judge)]
    if any("pictures" in judge.needs for judge in judges):
        there = {each.id: each.image for each in references if each.image and os.path.isfile(each.image.path)}
        equipment = replace(equipment, pictures=there or None)
    check([judge.name for judge in judges], equipment)
    return equipment


def measured(wanted: Sequence[Measure], corpus: Corpus, equipment: Equipment) -> dict[str, Measurement]:
    """What each metric and judge says of a corpus, in order."""
    judged = measurements([each.name for each in wanted if isinstance(each, Judge)], corpus, equipment)
    return {
        each.name: judged[each.name] if isinstance(each, Judge) else each.measure(corpus) for each in wanted
    }
