"""Score captions that are there already: no model is needed, and none is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leyenda import metrics
from leyenda.data.examples import Examples
from leyenda.data.load import load_examples
from leyenda.errors import LeyendaError, ScoreError
from leyenda.jobs.matching import Matched, match, pictures, some
from leyenda.jobs.measuring import Measure, measured, measures, ready
from leyenda.jobs.predictions_file import Predictions, read_predictions
from leyenda.jobs.references import EVERYTHING, References, read_references
from leyenda.judges import Equipment
from leyenda.metrics import Metric, document_frequencies
from leyenda.metrics.calibration import Calibration, calibration, right_captions
from leyenda.metrics.caption_statistics import CaptionStatistics, caption_statistics
from leyenda.metrics.corpus import Corpus
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.metrics.scoring import gathered
from leyenda.records import EvaluationResult, Prediction, Resampling, Scores, Skipped

RIGHT = "wer"
"""The score that says which captions are right, for their calibration."""

OURS = ("no_caption", "no_references")
"""Why we left a picture out; other reasons stand in the predictions file."""


@dataclass(frozen=True)
class Scored:
    """What `leyenda score` found out.

    Args:
        result: scores, controls and predictions.
        matched: how captions and references were brought together.
    """

    result: EvaluationResult
    matched: Matched

    def notes(self) -> list[str]:
        """How files were matched and what was left out, one sentence each."""
        failed = [name for name, why in self.result.skipped.items() if why.code not in OURS]
        said = self.matched.notes()
        if failed:
            said.append(
                f"Left out: {pictures(len(failed))} with an error in place of a caption: {some(failed)}."
            )
        return said

    def as_json(self) -> dict[str, object]:
        """The object that `leyenda score --json` prints: that of `evaluate`, and the matching."""
        return self.result.as_json() | {
            "matched_by": dict(self.matched.by),
            "without_caption": list(self.matched.without_caption),
            "without_references": list(self.matched.without_references),
        }


def score(
    predictions: Path | str,
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
) -> Scored:
    """Score captions against references.

    Args:
        predictions: see `read_predictions`.
        references: see `read_references`; None takes those in the predictions file.
        metric_names: names in `leyenda.metrics.METRICS` and `leyenda.judges.JUDGES`; None: the usual ones.
        objects: a file of objects and words for them, for CHAIR (`leyenda.metrics.chair`).
        annotations: a file that says which objects each picture holds, for CHAIR.
        language: of the captions: `en` scores on Penn Treebank words, others on Unicode words.
        tokenizer: `ptb` or `unicode`, where it should not follow from the language.
        df: what CIDEr-D weighs n-grams by: a file of document frequencies, or a source of captions to count in;
            None counts in the references.
        only_common: score the pictures that have both, and say which were left out.
        seed: of the intervals and the shuffled control.
        equipment: what judges need; pictures are those of the references.
        split: the part of the references to take, or `all`.
        reading: more arguments of `leyenda.data.load_examples`, for the references.

    Raises:
        ScoreError: the files do not fit together, or are not what they should be.
        DataError: a file or source cannot be read.
        JudgeError: something that a judge needs is absent, or fails.
    """
    wanted = measures(metric_names, objects, annotations)
    words = tokenizer or tokenizer_for(language)
    weights = frequencies(df, words)
    said = read_predictions(predictions)
    refuse_errors(said, only_common)
    there = references_for([said], references, split, reading)
    matched = match(list(said.captions), there.pictures, only_common=only_common, whose=str(said.path))
    tools = ready(wanted, matched.pairs.values(), equipment or Equipment())
    result = scored_predictions(
        str(said.path),
        beside_references(said, matched),
        skipped=_left_out(said, matched),
        candidates=there.candidates,
        wanted=wanted,
        tokenizer=words,
        weights=weights,
        resampling=Resampling(seed=seed),
        equipment=tools,
    )
    return Scored(result, matched)


def scored_predictions(
    model: str,
    predictions: Sequence[Prediction],
    *,
    skipped: Mapping[str, Skipped],
    candidates: Sequence[str] = (),
    wanted: Sequence[Measure] | None = None,
    tokenizer: str = "ptb",
    weights: DocumentFrequencies | None = None,
    resampling: Resampling | None = None,
    equipment: Equipment | None = None,
) -> EvaluationResult:
    """Scores with intervals, and every control; judges read the model's captions only.

    Args:
        model: what made the captions.
        predictions: captions with their references, at least one.
        skipped: what could not be scored.
        candidates: the training captions, among which the best constant one is looked for and copies are found;
            without any, the references are, and nothing is said of copies.
        wanted: metrics and judges; None: the usual ones.
        tokenizer: as in `leyenda.metrics.score`.
        weights: as `document_frequencies` in `leyenda.metrics.score`.
        resampling: how intervals are computed; None: as usual.
        equipment: what judges need.
    """
    hypotheses = {prediction.id: prediction.caption for prediction in predictions}
    references = {prediction.id: prediction.references for prediction in predictions}
    how = resampling or Resampling()
    wanted = wanted or measures(None)
    alike: dict[str, Any] = {
        "metrics": [each for each in wanted if isinstance(each, Metric)],
        "tokenizer": tokenizer,
        "document_frequencies": weights,
    }
    corpus = Corpus.checked(hypotheses, references, tokenizer, weights)
    constant, controls = metrics.controls(hypotheses, references, list(candidates), seed=how.seed, **alike)
    scores = gathered(corpus, measured(wanted, corpus, equipment or Equipment()), how)
    return EvaluationResult(
        model=model,
        scores=scores,
        controls=controls,
        constant_caption=constant,
        predictions=tuple(predictions),
        skipped=skipped,
        human=metrics.human(hypotheses, references, **alike),
        statistics=_statistics(predictions, candidates),
        calibration=_calibration(predictions, scores if RIGHT in scores.per_image else _rightness(corpus)),
    )


def _statistics(
    predictions: Sequence[Prediction], training_captions: Sequence[str]
) -> dict[str, CaptionStatistics]:
    """What the captions are like, and as many of people's."""
    seen = training_captions or None
    sure = [each.confidence for each in predictions if each.confidence is not None]
    return {
        "model": caption_statistics(
            [each.caption for each in predictions],
            training_captions=seen,
            confidences=sure if len(sure) == len(predictions) else None,
        ),
        "people": caption_statistics([each.references[0] for each in predictions], training_captions=seen),
    }


def _rightness(corpus: Corpus) -> Scores:
    return gathered(corpus, {RIGHT: metrics.METRICS[RIGHT].measure(corpus)})


def _calibration(predictions: Sequence[Prediction], scores: Scores) -> Calibration | None:
    sure = {each.id: each.confidence for each in predictions if each.confidence is not None}
    if not sure:
        return None
    right, means = right_captions(scores, RIGHT)
    return calibration(sure, {image: right[image] for image in sure}, right_means=means)


def tokenizer_for(language: str) -> str:
    """Which word tokenizer scores captions of a language: Penn Treebank's is for English only.

    >>> tokenizer_for("en"), tokenizer_for("es")
    ('ptb', 'unicode')
    """
    return "ptb" if language == "en" else "unicode"


def frequencies(where: Path | str | None, tokenizer: str) -> DocumentFrequencies | None:
    """Document frequencies from a saved file (`.npz`), or counted in the captions of a source."""
    if where is None:
        return None
    if str(where).endswith((".npz", *document_frequencies.PICKLE_ENDINGS)):
        return document_frequencies.load(where)
    captions = {example.id: example.captions for example in load_examples(where)}
    return document_frequencies.build(captions, tokenizer=tokenizer, origin=repr(str(where)))


def references_for(
    files: Sequence[Predictions], source: Path | str | Examples | None, split: str, reading: Mapping[str, Any]
) -> References:
    """The references that are named, or those that stand in the predictions files themselves.

    Raises:
        ScoreError: none are named, and not every file has them; or options say how to read what is not named.
    """
    if source is not None:
        return read_references(source, split=split, **reading)
    given = [name for name, value in {**reading, "split": split != EVERYTHING}.items() if value]
    if given:
        raise LeyendaError(
            f"--{given[0].replace('_', '-')} says how references are read, but none are named.",
            "Add --references.",
        )
    for file in files:
        if not any(prediction.references for prediction in file.captions.values()):
            raise ScoreError(f"{file.path} holds no references.", "Name them with --references SOURCE.")
    return read_references(files[0].path)


def refuse_errors(said: Predictions, only_common: bool) -> None:
    """Pictures that got no caption are not dropped unless that is asked for.

    Raises:
        ScoreError: there are such, and it is not.
    """
    if said.skipped and not only_common:
        raise ScoreError(
            f"{said.path} has an error in place of a caption for {pictures(len(said.skipped))}: "
            f"{some(tuple(said.skipped))}.",
            "Caption them again, or score the others by adding --only-common.",
        )


def beside_references(said: Predictions, matched: Matched) -> list[Prediction]:
    """Captions with the references and pictures that were found for them; the references' names are taken."""
    return [
        replace(said.captions[name], id=reference.id, references=reference.captions, image=reference.image)
        for name, reference in matched.pairs.items()
    ]


def _left_out(said: Predictions, matched: Matched) -> dict[str, Skipped]:
    no_references = Skipped("no_references", "There are no references for it.")
    no_caption = Skipped("no_caption", f"There is no caption for it in {said.path}.")
    return {
        **dict.fromkeys(matched.without_references, no_references),
        **dict.fromkeys(matched.without_caption, no_caption),
        **said.skipped,
    }


def chosen_names(text: str | None) -> list[str] | None:
    """Names of metrics from what was typed: `wer,cider_d`, or `all`.

    >>> chosen_names("wer, cider_d"), chosen_names(None)
    (['wer', 'cider_d'], None)
    """
    if text is None:
        return None
    if text.strip() == "all":
        return list(metrics.METRICS)
    return [name.strip() for name in text.split(",") if name.strip()] or _no_names(metrics.METRICS)


def _no_names(known: Iterable[str]) -> list[str]:
    raise ScoreError("--metrics names no metric.", "They are: " + ", ".join(known) + ".")
