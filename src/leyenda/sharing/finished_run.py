"""What a training run left behind, read and checked: the model, its recipe, its scores, its test captions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leyenda.config import Recipe, load_recipe
from leyenda.errors import LeyendaError, RecipeError, RunError
from leyenda.training.run_folder import RunFolder

CARD = "README.md"
"""Where a person may put a card of their own; also the card's name on the hub."""

DATA = "data.json"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
TOKENIZER = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "tokenizer.model")
IMAGE_PROCESSOR = ("processor_config.json", "preprocessor_config.json")


@dataclass(frozen=True)
class FinishedRun:
    """A training run, or a bare model folder (which has neither recipe nor scores).

    Args:
        path: the folder that the user named.
        model: the folder in which the checkpoint lies; the same as `path` for a bare model.
        config: the checkpoint's `config.json`.
        recipe: `recipe.yaml`; None for a bare model.
        metrics: `metrics.json`; empty for a bare model.
        splits: pictures in each split, from `data.json`; empty when it is not there.
        predictions: lines of `predictions.jsonl`; empty for a bare model.
    """

    path: Path
    model: Path
    config: Mapping[str, Any]
    recipe: Recipe | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    predictions: tuple[Mapping[str, Any], ...] = ()


def problems_of(path: Path) -> list[LeyendaError]:
    """Everything that keeps a folder from being shared; empty when all is well."""
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        return [RunError(f"'{path}' {what}.", "Name the folder that `leyenda train --output` wrote.")]
    model = _model_folder(path)
    if model is None:
        if RunFolder(path).recipe.exists():
            fix = f"Finish the training first: leyenda train --output {path} --resume"
            return [RunError(f"The run '{path}' has no trained model yet.", fix)]
        fix = "Name a folder that `leyenda train --output` wrote, or a model's own folder."
        return [RunError(f"'{path}' is neither a training run nor a model.", fix)]
    return [*_model_problems(model), *(_run_problems(path) if model != path else [])]


def read_run(path: Path) -> FinishedRun:
    """Read a training run or a bare model folder.

    Args:
        path: a folder with `model/`, `recipe.yaml` and `metrics.json`, or one with `config.json`.

    Raises:
        RunError, RecipeError: the first of `problems_of(path)`.
    """
    for problem in problems_of(path):
        raise problem
    model = _model_folder(path)
    assert model is not None
    config = _read_json(model / CONFIG)
    if model == path:
        return FinishedRun(path, model, config)
    run = RunFolder(path)
    return FinishedRun(
        path,
        model,
        config,
        recipe=load_recipe(run.recipe),
        metrics=_read_metrics(run.metrics),
        splits=_read_json(path / DATA)["splits"] if (path / DATA).exists() else {},
        predictions=tuple(_read_lines(run.predictions)) if run.predictions.exists() else (),
    )


def weight_files(model: Path) -> list[Path]:
    """The files that hold the checkpoint's weights, whether they are there or not."""
    index = model / WEIGHTS_INDEX
    if (model / WEIGHTS).exists() or not index.exists():
        return [model / WEIGHTS]
    return [model / name for name in sorted(set(_read_json(index)["weight_map"].values()))]


def _model_folder(path: Path) -> Path | None:
    for folder in (RunFolder(path).model, path):
        if (folder / CONFIG).is_file():
            return folder
    return None


def _model_problems(model: Path) -> Iterator[LeyendaError]:
    fix = "Save the model again, or train it again."
    needed = {"tokenizer": TOKENIZER, "image processor": IMAGE_PROCESSOR}
    for part, names in needed.items():
        if not any((model / name).is_file() for name in names):
            yield RunError(f"The model in '{model}' has no {part} ({' or '.join(names)}).", fix)
    try:
        _read_json(model / CONFIG)
        weights = weight_files(model)
    except RunError as error:
        yield error
        return
    for file in weights:
        reason = _why_unreadable(file)
        if reason:
            yield RunError(f"The weights '{file}' {reason}.", fix)


def _why_unreadable(weights: Path) -> str:
    if not weights.is_file():
        return "are missing"
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="np"):
            return ""
    except (SafetensorError, OSError):
        return "are cut off or damaged"


def _run_problems(path: Path) -> Iterator[LeyendaError]:
    run = RunFolder(path)
    readers: dict[Path, Callable[[Path], object]]
    readers = {run.recipe: load_recipe, run.metrics: _read_metrics, run.predictions: _read_lines}
    for file, read in readers.items():
        if not file.is_file():
            if file != run.predictions:
                fix = f"Finish the training first: leyenda train --output {path} --resume"
                yield RunError(f"The run '{path}' has no {file.name}.", fix)
            continue
        try:
            read(file)
        except (RunError, RecipeError) as error:
            yield error


def _read_json(file: Path) -> dict[str, Any]:
    return _mapping(file, _parse_json(file, file.read_bytes()))


def _read_metrics(file: Path) -> dict[str, Any]:
    metrics = _read_json(file)
    tuned = metrics.get("tuned")
    if not isinstance(tuned, dict) or not isinstance(tuned.get("metrics"), dict):
        raise RunError(f"'{file}' has no scores of the tuned model ('tuned').", "Train again.")
    return metrics


def _read_lines(file: Path) -> list[dict[str, Any]]:
    lines = [line for line in file.read_bytes().splitlines() if line.strip()]
    return [_mapping(file, _parse_json(file, line, number)) for number, line in enumerate(lines, start=1)]


def _parse_json(file: Path, text: bytes, line: int = 0) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        place = f"{file}:{line}" if line else str(file)
        raise RunError(f"'{place}' is not valid JSON ({error}).", "Mend it, or train again.") from error


def _mapping(file: Path, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RunError(f"'{file}' holds no names and values.", "Mend it, or train again.")
    return value
