"""Every judge by name: what it says, what it needs, and whether a lower or a higher value is better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from leyenda.errors import JudgeError, LeyendaError, ScoreError, near
from leyenda.judges import meteor as meteor_program
from leyenda.judges import spice as spice_program
from leyenda.judges.clip_score import clip_score, ref_clip_score
from leyenda.judges.equipment import Equipment
from leyenda.judges.fluency import perplexity, perplexity_per_word
from leyenda.judges.sentence_similarity import sentence_similarity
from leyenda.metrics.corpus import Corpus, Measurement
from leyenda.metrics.meanings import MEANINGS

NEEDS: dict[str, str] = {
    "pictures": "the pictures: name the data set with them, not captions alone",
    "clip_model": "a CLIP or SigLIP: --clip-model NAME, such as openai/clip-vit-base-patch32",
    "sentence_model": "a text encoder: --sentence-model NAME, such as sentence-transformers/all-MiniLM-L6-v2",
    "language_model": "a causal language model: --language-model NAME, such as openai-community/gpt2",
}
"""A field of `Equipment` -> what it is and how it is given."""


@dataclass(frozen=True, slots=True)
class Judge:
    """One way to score captions that needs more than the captions.

    Args:
        name: as in `Scores.values`.
        direction: which values are better.
        best: the value that no caption can beat.
        needs: fields of `Equipment` that must be given.
        measure: computes it.
        check: sees that the programs it runs are there; None when it runs none.
    """

    name: str
    direction: Literal["lower", "higher"]
    best: float
    needs: tuple[str, ...] = ()
    measure: Callable[[Corpus, Equipment], Measurement] = field(kw_only=True, repr=False, compare=False)
    check: Callable[[Equipment], None] | None = field(default=None, kw_only=True, repr=False, compare=False)

    @property
    def english(self) -> str:
        """What it means, in one plain line."""
        return MEANINGS[self.name][0]

    @property
    def spanish(self) -> str:
        """What it means, in one plain line of Spanish."""
        return MEANINGS[self.name][1]


_ALL = (
    Judge(
        "meteor",
        "higher",
        1.0,
        measure=meteor_program.meteor,
        check=meteor_program.check,
    ),
    Judge(
        "spice",
        "higher",
        1.0,
        measure=spice_program.spice,
        check=spice_program.check,
    ),
    Judge(
        "clip_score",
        "higher",
        2.5,
        ("pictures", "clip_model"),
        measure=clip_score,
    ),
    Judge(
        "ref_clip_score",
        "higher",
        # The harmonic mean of 2.5 and 1.
        5 / 3.5,
        ("pictures", "clip_model"),
        measure=ref_clip_score,
    ),
    Judge(
        "sentence_similarity",
        "higher",
        1.0,
        ("sentence_model",),
        measure=sentence_similarity,
    ),
    Judge(
        "perplexity",
        "lower",
        1.0,
        ("language_model",),
        measure=perplexity,
    ),
    Judge(
        "perplexity_per_word",
        "lower",
        1.0,
        ("language_model",),
        measure=perplexity_per_word,
    ),
)

JUDGES: dict[str, Judge] = {judge.name: judge for judge in _ALL}
"""Every judge by name, in the order in which scores are shown."""


def chosen(names: Iterable[str]) -> tuple[Judge, ...]:
    """The judges of these names in the given order, without repeats.

    Raises:
        ScoreError: there is no judge of one of the names.
    """
    for name in (wanted := list(dict.fromkeys(names))):
        if name not in JUDGES:
            hint = near(name, JUDGES) or "They are: " + ", ".join(JUDGES) + "."
            raise ScoreError(f"There is no judge {name!r}.", hint)
    return tuple(JUDGES[name] for name in wanted)


def check(names: Iterable[str], equipment: Equipment) -> None:
    """See that everything is there before anything is captioned or loaded.

    Args:
        names: names in `JUDGES`.
        equipment: what is given; models are not loaded.

    Raises:
        ScoreError: there is no judge of one of the names.
        JudgeError: something is absent; all that is absent is named at once.
        MissingExtra: only the optional part of leyenda with the Java programs is absent.
    """
    judges = chosen(names)
    absent: dict[str, list[str]] = {}
    for judge in judges:
        for need in judge.needs:
            if getattr(equipment, need) in (None, ""):
                absent.setdefault(need, []).append(judge.name)
    problems: list[LeyendaError] = [
        JudgeError(f"{' and '.join(who)} {'needs' if len(who) == 1 else 'need'} {NEEDS[need]}.")
        for need, who in absent.items()
    ]
    for judge in judges:
        try:
            if judge.check is not None:
                judge.check(equipment)
        except LeyendaError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise JudgeError(" ".join(str(problem) for problem in problems))
