"""The Recipe: everything that decides a training run, from a YAML file and overrides to one resolved object.

Unknown names are errors that list near ones, and all mistakes of a recipe are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

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
    image_root: str | None = Field(
        default=None, description="Folder of the pictures, where it is not beside the source."
    )
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub id.")
    streaming: bool = Field(default=False, description="Read a hub id as a stream.")
    validation: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the pictures for evaluation in training."
    )
    test: float = Field(default=0.1, ge=0, lt=1, description="Share of the pictures for the final scores.")
    split_seed: int = Field(default=0, description="Seed of the division.")
    captions: Literal["one", "all"] = Field(
        default="one",
        description="Per epoch, train on one caption of each picture, or on all of them together.",
    )

    augment: bool = Field(
        default=False,
        description="Show each picture cropped a little differently in every epoch, and mirrored half of the time.",
    )
    exact_decode: bool = Field(
        default=False, description="Decode every pixel of large JPEGs, and not at a reduced scale."
    )
    max_caption_words: int | None = Field(
        default=None,
        ge=1,
        description="Train on captions of at most so many words; a picture with longer ones only keeps its shortest.",
    )

    def reading(self) -> dict[str, Any]:
        """How the source is read: arguments of `leyenda.data.load_examples`, the token apart."""
        names = ("format", "image_column", "caption_column", "image_root", "revision", "streaming")
        return {name: getattr(self, name) for name in names}


class ModelRecipe(_Part):
    """Which model is fine-tuned, or made new."""

    name: str = Field(default="microsoft/git-base", description="Folder, training run, hub id, or `demo`.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub id.")
    from_scratch: str | None = Field(default=None, description="Size of a new model, instead of `name`.")
    freeze: list[Literal["image_encoder"]] = Field(default=[], description="Parts that keep their weights.")
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share that dropout drops; the checkpoint's own when not given."
    )
    average: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Evaluate and keep a running mean of the weights, of which this share stays at each step.",
    )
    max_caption_tokens: int = Field(default=128, ge=3, description="Longer captions are cut for training.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(default="auto", description="Number format.")
    fast: bool = Field(
        default=True,
        description="Compute with leyenda's own code where it has some; false: transformers' own.",
    )
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


class RewardRecipe(_Part):
    """Which scores the model's own captions are rewarded by, and from when on."""

    scores: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default={},
        description="Scores to make better, with their weights, as in {wer: 1, cider_d: 1}; none: no reward training.",
    )
    from_epoch: int = Field(
        default=0, ge=0, description="Epochs before it, counted from 0, learn from people's captions."
    )
    captions: int = Field(default=5, ge=2, description="Captions drawn of each picture in a step.")
    contrast: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of what a caption would get beside other pictures that is taken off its reward.",
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
    reward: RewardRecipe = RewardRecipe()
    training: dict[str, Any] = Field(
        default={}, description="Anything that transformers.TrainingArguments takes, by its name there."
    )

    def to_yaml(self) -> str:
        """The recipe as YAML that `load_recipe` reads back to an equal one."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 takes `1e-5` for text, because it has no dot; people who write it mean a number.

    And it takes the last of two values for one name, where people have forgotten the first.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for number, name in enumerate(names):
            if name in names[:number]:
                mark = node.value[number][0].start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"the name {name!r} stands there for the second time", mark
                )
        return super().construct_mapping(node, deep)


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
    except IsADirectoryError as error:
        raise RecipeError(f"The recipe {str(path)!r} is a folder.", "Name a YAML file.") from error
    except OSError as error:
        raise RecipeError(
            f"The recipe {str(path)!r} cannot be read: {error.strerror}.", "Check --config."
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"The recipe {str(path)!r} is not text in UTF-8.", "Name a YAML file.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _not_yaml(path, error) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise RecipeError(
            f"The recipe {str(path)!r} does not hold names with values.",
            "Write it like `training:`, and indented below it `learning_rate: 1e-5`.",
        )
    return document


def _not_yaml(path: Path, error: Exception) -> RecipeError:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "it cannot be read")
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    if "\\t" in problem:
        return RecipeError(f"{where}: the line is indented with a tab.", "YAML takes spaces only.")
    return RecipeError(f"{where} is not YAML: {problem}.", "Mend that line.")


def _parse_override(override: str) -> tuple[str, Any]:
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise RecipeError(f"--set {override!r} is not NAME=VALUE.", "Write it like --set training.seed=1.")
    try:
        return name.strip(), yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError(f"The value in --set {override!r} is not YAML.", "Quote it.") from error


def _put(document: dict[str, Any], dotted: str, value: Any) -> None:
    *parts, last = dotted.split(".")
    place = document
    for part in parts:
        inner = place.setdefault(part, {})
        if inner is None:
            inner = place[part] = {}
        if not isinstance(inner, dict):
            raise RecipeError(
                f"{dotted!r} cannot be set: the recipe's {part!r} is {inner!r}.",
                f"Write names with values below {part!r}, as in {dotted}=VALUE.",
            )
        place = inner
    place[last] = value


def _explain(problem: Any) -> str:
    # A position in a list is no name that anybody wrote.
    name = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    if problem["type"] == "extra_forbidden":
        return f"The recipe has no {name!r}. {_hint(name)}"
    if problem["type"] == "invalid_key":
        return f"The recipe has the name {problem['input']!r}: names must be text."
    return f"The recipe's {name!r} is {problem['input']!r}: it must be {_wanted(problem)}."


def _hint(name: str) -> str:
    names = names_in_recipe()
    part, _, last = name.rpartition(".")
    if part:
        siblings = [full.removeprefix(f"{part}.") for full in names if full.startswith(f"{part}.")]
        return near(last, siblings, prefix=f"{part}.") or f"The names in {part!r} are: {', '.join(siblings)}."
    if hint := near(name, Recipe.model_fields):
        return hint
    inside = [full for full in names if full.endswith(f".{name}")] or [f"training.{name}"]
    return "Did you mean " + " or ".join(map(repr, inside)) + "?"


def _wanted(problem: Any) -> str:
    """What a value should have been, in words."""
    kind, limits = problem["type"], problem.get("ctx", {})
    for limit, words in {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}.items():
        if limit in limits:
            return f"{words} {limits[limit]:g}"
    if "expected" in limits:
        return str(limits["expected"])
    for start, words in _KINDS.items():
        if kind.startswith(start):
            return words
    return str(problem["msg"])


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "list": "a list, as in [a, b]",
    "dict": "names with values",
    "model": "names with values",
}
"""Beginnings of pydantic's names for what a value should have been."""
