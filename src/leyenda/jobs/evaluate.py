"""Score a model: caption every picture of a split, compare with all references, and with two controls."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from leyenda import models
from leyenda.config import DataRecipe
from leyenda.data.examples import Examples
from leyenda.data.load import load_examples
from leyenda.data.splits import assign_splits
from leyenda.errors import DataError, RunError
from leyenda.inference import Captioner
from leyenda.inference.lanes import Lanes
from leyenda.jobs.measuring import Measure, measures, ready
from leyenda.jobs.references import EVERYTHING, other_captions
from leyenda.jobs.score import frequencies, scored_predictions, tokenizer_for
from leyenda.judges import Equipment
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.memory import release
from leyenda.records import Caption, EvaluationResult, Example, Prediction, Resampling, Skipped
from leyenda.training.processes import ALONE, Processes
from leyenda.training.run_folder import RunFolder


def evaluate(
    model: str | Path | CaptioningModel,
    source: str | Path | Examples | None = None,
    *,
    split: str = "test",
    beams: int | None = None,
    max_length: int | None = None,
    batch_size: int | None = None,
    exact_decode: bool = False,
    device: str | None = None,
    precision: str = "auto",
    metric_names: Sequence[str] | None = None,
    objects: Path | str | None = None,
    annotations: Path | str | None = None,
    equipment: Equipment | None = None,
    language: str | None = None,
    tokenizer: str | None = None,
    df: Path | str | None = None,
    seed: int = 0,
    validation: float | None = None,
    test: float | None = None,
    split_seed: int | None = None,
    model_revision: str | None = None,
    token: str | None = None,
    **source_options: Any,
) -> EvaluationResult:
    """Score a model on image-caption pairs.

    Args:
        model: a folder, a training run, a hub id, `demo`, or a loaded model.
        source: image-caption pairs; None takes those that the training run was on.
        split: the part to score on, or `all`. A source without splits is divided as the training run divided
            it, or by `validation`, `test` and `split_seed`.
        beams: of the search; None takes the training run's own, or 1 (greedy).
        max_length: most tokens of a caption; None takes the training run's own, or 50.
        batch_size: pictures at a time; None takes what suits the device. It changes speed, not captions.
        exact_decode: decode every pixel of large JPEGs.
        device: as for `leyenda.models.load`.
        precision: as for `leyenda.models.load`.
        metric_names: as for `leyenda.jobs.score.score`.
        objects: as for `leyenda.jobs.score.score`.
        annotations: as for `leyenda.jobs.score.score`.
        equipment: what judges need; pictures are those that are captioned.
        language: of the captions: `en` scores on Penn Treebank words, others on Unicode words.
        tokenizer: `ptb` or `unicode`, where it should not follow from the language.
        df: as for `leyenda.jobs.score.score`.
        seed: of the intervals and the shuffled control.
        validation: share of a source without splits.
        test: share of a source without splits.
        split_seed: of the division.
        model_revision: branch, tag or commit, where the model is a hub id.
        token: access token for the hub, for model and source; None takes the one that is logged in.
        source_options: more arguments of `leyenda.data.load_examples`.

    Raises:
        DataError: the source cannot be read, or has no such split.
        ModelError: the model cannot be loaded.
        ScoreError: there is no such score.
        JudgeError: something that a judge needs is absent, or fails.
    """
    wanted = measures(metric_names, objects, annotations)
    recipe = _recipe_behind(model)
    data = recipe.data if recipe else None
    if source is None:
        if data is None:
            raise RunError(
                f"{str(model)!r} is not a training run, so it does not say which data to score on.",
                "Name it: leyenda evaluate MODEL SOURCE",
            )
        source = _data_behind(data, model)
        given = {name: value for name, value in source_options.items() if value}
        source_options = data.reading() | given
    examples = assign_splits(
        load_examples(source, token=token, **source_options),
        validation=_first(validation, data and data.validation, 0.1),
        test=_first(test, data and data.test, 0.1),
        seed=_first(split_seed, data and data.split_seed, 0),
    )
    scored = examples if split == EVERYTHING else examples.split(split)
    words = tokenizer or tokenizer_for(language or (recipe.evaluation.language if recipe else "en"))
    weights = frequencies(df, words)
    tools = ready(wanted, scored, equipment or Equipment())
    loaded = model
    if not isinstance(loaded, CaptioningModel):
        loaded = models.load(loaded, device=device, precision=precision, revision=model_revision, token=token)
    return evaluate_examples(
        loaded,
        scored,
        settings=GenerationSettings(
            beams=_first(beams, recipe and recipe.evaluation.beams, 1),
            max_length=_first(max_length, recipe and recipe.evaluation.max_length, 50),
        ),
        batch_size=batch_size,
        exact_decode=exact_decode,
        candidates=other_captions(examples, split),
        wanted=wanted,
        equipment=tools,
        tokenizer=words,
        weights=weights,
        resampling=Resampling(seed=seed),
    )


def _data_behind(data: DataRecipe, model: object) -> str:
    """Where a training run's pictures are."""
    source = data.source
    if os.path.isabs(source) and not os.path.exists(source) and not set(source) & set("*?[{"):
        raise DataError(
            f"The pictures of the run {str(model)!r} were in {source!r}, and that is not there any more.",
            "Name where they are: leyenda evaluate MODEL SOURCE",
        )
    return source


def evaluate_examples(
    model: CaptioningModel,
    examples: Examples,
    *,
    settings: GenerationSettings,
    batch_size: int | None = None,
    exact_decode: bool = False,
    candidates: Sequence[str] = (),
    wanted: Sequence[Measure] | None = None,
    equipment: Equipment | None = None,
    tokenizer: str = "ptb",
    weights: DocumentFrequencies | None = None,
    resampling: Resampling | None = None,
    processes: Processes = ALONE,
) -> EvaluationResult:
    """As `evaluate`, with everything loaded.

    Args:
        model: what captions.
        examples: what to caption and compare with.
        settings: how captions are searched for.
        batch_size: pictures at a time; None takes what suits the device.
        exact_decode: decode every pixel of large JPEGs.
        candidates: as for `leyenda.jobs.score.scored_predictions`, and so are those that follow.
        wanted: metrics and judges.
        equipment: what judges need.
        tokenizer: of words.
        weights: of n-grams.
        resampling: of intervals.
        processes: they share the pictures; the main one scores, and all get what it found out.

    Raises:
        DataError: no example can be scored.
    """
    # Batches at the same time are at their largest together by chance, the more often the more of them there are;
    # one at a time needs the same memory for any number of pictures.
    captioner = Captioner(model, settings, batch_size, exact_decode=exact_decode, lanes=Lanes())
    predictions, skipped = _caption(captioner, examples, processes)
    if not predictions:
        raise DataError(
            "None of the pictures could be scored.", "See what is wrong with: leyenda data check SOURCE"
        )
    return processes.from_main(
        lambda: scored_predictions(
            model.name,
            predictions,
            skipped=skipped,
            candidates=candidates,
            wanted=wanted,
            equipment=equipment,
            tokenizer=tokenizer,
            weights=weights,
            resampling=resampling,
        )
    )


def _caption(
    captioner: Captioner, examples: Examples, processes: Processes
) -> tuple[list[Prediction], dict[str, Skipped]]:
    """Predictions in the order of the examples, and why the other ones have none."""
    skipped: dict[str, Skipped] = {}
    speaking = []
    for example in examples:
        if any(example.captions):
            speaking.append(example)
        else:
            skipped[example.id] = Skipped("no_caption", f"{example.origin}: {example.id!r} has no caption.")
    rows = processes.share_in_rows(speaking, captioner.batch_size)
    share = [example for row in rows for example in row]
    answers: dict[str, Caption | Skipped] = {}
    for part in processes.gathered(lambda: _answers(captioner, share)):
        answers |= part
    predictions: list[Prediction] = []
    for example in speaking:
        answer = answers[example.id]
        if isinstance(answer, Caption):
            references = tuple(caption for caption in example.captions if caption)
            predictions.append(
                Prediction(example.id, answer.text, answer.confidence, references, example.image)
            )
        else:
            skipped[example.id] = answer
    return predictions, skipped


def _answers(captioner: Captioner, examples: Sequence[Example]) -> dict[str, Caption | Skipped]:
    """What each picture got, by its example's id."""
    results = captioner.stream(example.image for example in examples)
    bar = tqdm(
        results, total=len(examples), desc="Captioning", unit="picture", delay=2, file=sys.stderr, leave=False
    )
    answers: dict[str, Caption | Skipped] = {}
    device = captioner.model.device
    for number, (example, (_, answer)) in enumerate(zip(examples, bar, strict=True), 1):
        answers[example.id] = answer
        if device.type == "cpu" and number % captioner.batch_size == 0:
            # What one batch leaves in pieces, the next does not fit into: by and by that would add up.
            release(device)
    return answers


def _recipe_behind(model: str | Path | CaptioningModel) -> Any:
    """The recipe of the training run that a model belongs to, or None."""
    if isinstance(model, CaptioningModel):
        return None
    folder = Path(model).expanduser()
    for place in (folder, folder.parent) if folder.name == "model" else (folder,):
        if (place / "recipe.yaml").is_file():
            return RunFolder(place).saved_recipe()
    return None


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
