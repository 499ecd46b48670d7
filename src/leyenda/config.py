"""The Recipe: everything that decides a training run, from a YAML file and overrides to one resolved object.

Unknown names are errors that list near ones, and all mistakes of a recipe are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leyenda.errors import RecipeError, near


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())


class DataRecipe(_Part):
    """Which pictures, and how they are divided."""

    source: str = Field(default="", description="Folder, file or hub id of image-caption pairs.")
    format: str | None = Field(default=None, description="Format of the source; detected when not given.")
    image_column: str | None = Field(
        default=None, description="Column that holds the pictures or their paths."
    )
    caption_column: str | None = Field(default=None, description="Column that holds the captions.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub id.")
    streaming: bool = Field(default=False, description="Read a hub id as a stream.")
    validation: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the pictures for evaluation in training."
    )
    test: float = Field(default=0.1, ge=0, lt=1, description="Share of the pictures for the final scores.")
    split_seed: int = Field(default=0, description="Seed of the division.")
    captions: Literal["one", "all"] = Field(
        default="one", description="Per epoch, train on one caption of each picture, or on all."
    )


class ModelRecipe(_Part):
    """Which model is fine-tuned, or made new."""

    name: str = Field(default="microsoft/git-base", description="Folder, training run, hub id, or `demo`.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub id.")
    from_scratch: str | None = Field(default=None, description="Size of a new model, instead of `name`.")
    freeze: list[Literal["image_encoder"]] = Field(default=[], description="Parts that keep their weights.")
    max_caption_tokens: int = Field(default=128, ge=3, description="Longer captions are cut for training.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(default="auto", description="Number format.")
    device: str | None = Field(default=None, description="cpu, cuda, mps; the best one when not given.")


class EvaluationRecipe(_Part):
    """How captions are generated and judged during and after training."""

    metric: str = Field(default="wer", description="Score that decides which checkpoint is best.")
    beams: int = Field(default=1, ge=1, description="Beams of the search; 1 is greedy.")
    max_length: int = Field(default=50, ge=1, description="Most tokens of a generated caption.")
    language: Literal["en", "es"] = Field(
        default="en",
        description="Of captions and report; other than English is scored on Unicode words.",
    )
    base: bool = Field(default=True, description="Score the model before tuning as well.")
    samples: int = Field(
        default=4, ge=0, description="Pictures shown with their captions at each evaluation."
    )
    patience: int | None = Field(
        default=None, ge=1, description="Stop after this many evaluations without a better score."
    )
    max_pictures: int | None = Field(
        default=None, ge=1, description="Evaluate on the first so many validation pictures during training."
    )


class Recipe(_Part):
    """Everything that decides a training run; saved resolved as `RUN/recipe.yaml`.

    `training` takes whatever `transformers.TrainingArguments` has; names and values are checked by
    `leyenda.training.arguments`.

    >>> Recipe().evaluation.metric
    'wer'
    """

    data: DataRecipe = DataRecipe()
    model: ModelRecipe = ModelRecipe()
    evaluation: EvaluationRecipe = EvaluationRecipe()
    training: dict[str, Any] = Field(
        default={}, description="Anything that transformers.TrainingArguments takes, by its name there."
    )

    def to_yaml(self) -> str:
        """The recipe as YAML that `load_recipe` reads back to an equal one."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 takes `1e-5` for text, because it has no dot; people who write it mean a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def load_recipe(
    path: Path | str | None = None,
    overrides: Sequence[str] = (),
    values: Mapping[str, Any] | None = None,
) -> Recipe:
    """Resolve a recipe: defaults, then the file, then `values`, then the overrides.

    Args:
        path: a YAML file; None for the defaults.
        overrides: `part.name=value` each, the value in YAML (`training.learning_rate=1e-5`).
        values: dotted name -> value, as the command line's own options give them; None values are left out.

    Raises:
        RecipeError: the file cannot be read, or a name or value is wrong; all mistakes are listed.

    >>> load_recipe(overrides=["training.learning_rate=1e-5"]).training
    {'learning_rate': 1e-05}
    >>> load_recipe(overrides=["evaluation.metrik=cer"])
    Traceback (most recent call last):
        ...
    leyenda.errors.RecipeError: The recipe has no 'evaluation.metrik'. Did you mean 'evaluation.metric'?
    """
    document: dict[str, Any] = _read(Path(path)) if path is not None else {}
    for name, value in (values or {}).items():
        if value is not None:
            _put(document, name, value)
    for override in overrides:
        name, value = _parse_override(override)
        _put(document, name, value)
    return validate_recipe(document)


def validate_recipe(document: Mapping[str, Any]) -> Recipe:
    """The document as a Recipe.

    Raises:
        RecipeError: with every mistake in it.
    """
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        raise RecipeError(" ".join(_explain(problem) for problem in error.errors())) from error


def names_in_recipe() -> list[str]:
    """Every dotted name that a recipe can have outside `training`.

    >>> "data.source" in names_in_recipe()
    True
    """
    names = []
    for part, field in Recipe.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += [f"{part}.{name}" for name in kind.model_fields]
        else:
            names.append(part)
    return names


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        raise RecipeError(f"There is no recipe file {str(path)!r}.", "Check --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {str(path)!r} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise RecipeError(f"The recipe {str(path)!r} is not YAML: {reason}.") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise RecipeError(f"The recipe {str(path)!r} must hold names with values, as in 'model: {{...}}'.")
    return document


def _parse_override(override: str) -> tuple[str, Any]:
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise RecipeError(f"--set {override!r} is not NAME=VALUE.", "Write it like --set training.seed=1.")
    try:
        return name.strip(), yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise RecipeError(f"The value in --set {override!r} is not YAML.", "Quote it.") from error


def _put(document: dict[str, Any], dotted: str, value: Any) -> None:
    *parts, last = dotted.split(".")
    place = document
    for part in parts:
        inner = place.setdefault(part, {})
        if inner is None:
            inner = place[part] = {}
        if not isinstance(inner, dict):
            raise RecipeError(f"The recipe has no {dotted!r}: {part!r} is a value.")
        place = inner
    place[last] = value


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        hint = near(name, [*names_in_recipe(), *Recipe.model_fields]) or "Its parts are: " + ", ".join(Recipe.model_fields) + "."
        return f"The recipe has no {name!r}. {hint}"
    return f"The recipe's {name!r} is {problem['input']!r}: {problem['msg'].lower()}."
