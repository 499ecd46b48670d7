"""The model card: what a run's folder says about its model, as the hub's `README.md`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from leyenda.config import Recipe
from leyenda.errors import RunError
from leyenda.metrics.registry import METRICS, better
from leyenda.sharing.contents import public_recipe
from leyenda.sharing.finished_run import CARD, FinishedRun
from leyenda.sharing.language import NAMES, language_of
from leyenda.sharing.markdown import fenced, inline
from leyenda.sharing.origin import data_named, hub_data_set, hub_model, model_named
from leyenda.sharing.snippets import leyenda_snippet, transformers_snippet

UNKNOWN_LICENCE = "unknown"
EXAMPLES = 5
SAME_BY_DESIGN = "distinct"
"""Shuffling a model's captions over the pictures leaves their variety as it is."""


def render_card(
    run: FinishedRun,
    *,
    repo_id: str | None = None,
    license_id: str | None = None,
    language: str | None = None,
) -> str:
    """The text of a run's model card, with the metadata that the hub reads.

    A `README.md` that lies in the run's folder is taken as it is: a person wrote it.

    Args:
        run: a training run, or a bare model's folder, as `leyenda.sharing.finished_run.read_run` gives it.
        repo_id: the repository's name, for the snippets; None names the folder.
        license_id: the hub's name of a licence (`apache-2.0`); None says that it is unknown.
        language: ISO 639-1 code of the captions; None looks at the test captions.

    Raises:
        RunError: a person's card and an argument contradict.
    """
    written = _written_card(run)
    if written and (license_id or language):
        raise RunError(
            f"'{run.path / CARD}' is a card of your own, so licence and language are taken from there.",
            "Write them into its metadata, or remove the file.",
        )
    return written or _generated_card(run, repo_id, license_id or UNKNOWN_LICENCE, language)


def _written_card(run: FinishedRun) -> str:
    file = run.path / CARD
    return file.read_text(encoding="utf-8") if file.is_file() and file.stat().st_size else ""


def _generated_card(run: FinishedRun, repo_id: str | None, license_id: str, language: str | None) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Nothing is HTML here: every value passes through `inline` or `fenced`, which escape for Markdown.
    environment = Environment(
        loader=PackageLoader("leyenda", "sharing"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
    )
    environment.filters["inline"] = inline
    language = language or _language(run)
    tuned, base = run.metrics.get("tuned", {}), run.metrics.get("base")
    controls = tuned.get("controls", {})
    title = (repo_id or run.path.resolve().name).rpartition("/")[2]
    place = repo_id or str(run.path)
    values = {
        "metadata": _metadata(run, title, license_id, language),
        "title": title,
        "language": NAMES.get(language or "", language),
        "licence": license_id,
        "origin": _origin(run),
        "leyenda_snippet": fenced(leyenda_snippet(place, run), "python"),
        "transformers_snippet": fenced(transformers_snippet(place, run), "python"),
        "recipe": fenced(public_recipe(run.recipe), "yaml") if run.recipe else "",
        "data": data_named(run.recipe) if run.recipe else "",
        "splits": list(run.splits.items()),
        "scored_split": scored_split(run),
        "images": tuned.get("images", 0),
        "skipped": tuned.get("skipped", 0),
        "constant_caption": controls.get("constant", {}).get("caption", ""),
        "columns": ["this model", *controls, *(["before training"] if base else [])],
        "rows": list(_rows(tuned, base)),
        "beaten_by": list(_beaten_by_a_control(tuned)),
        "examples": _examples(run.predictions),
        "drops_case": _drops_case(run.model),
    }
    return environment.get_template("model_card.md").render(values).strip() + "\n"


def _metadata(run: FinishedRun, title: str, license_id: str, language: str | None) -> str:
    import yaml

    values: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "image-to-text",
        "license": license_id,
        "tags": ["image-captioning", "leyenda"],
    }
    if language:
        values["language"] = language
    if run.recipe and (base := hub_model(run.recipe)):
        values["base_model"] = base
    if run.recipe and (data := hub_data_set(run.recipe)):
        values["datasets"] = [data]
    if results := _results(run):
        values["model-index"] = [{"name": title, "results": results}]
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True)).strip()


def _results(run: FinishedRun) -> list[dict[str, Any]]:
    tuned = run.metrics.get("tuned", {})
    metrics = [
        {"type": name, "name": name, "value": value}
        for name, value in tuned.get("metrics", {}).items()
        if _finite(value)
    ]
    if not metrics or not run.recipe:
        return []
    name = data_named(run.recipe, sentence=False)
    data = {"type": hub_data_set(run.recipe) or name, "name": name, "split": scored_split(run)}
    task = {"type": "image-to-text", "name": "Image captioning"}
    return [{"task": task, "dataset": data, "metrics": metrics}]


def _origin(run: FinishedRun) -> str:
    kind = f"`{re.sub('[^a-z0-9_-]', '', str(run.config.get('model_type', '')))}`"
    if run.recipe is None:
        return f"It is a {kind} model, shared with leyenda {version('leyenda')} without a record of its training."
    return f"It is a {kind} model, {model_named(run.recipe)}, with leyenda {version('leyenda')}."


def _language(run: FinishedRun) -> str | None:
    """What the recipe says, where it says more than the default; otherwise what the captions look like."""
    if run.recipe and run.recipe.evaluation.language != Recipe().evaluation.language:
        return run.recipe.evaluation.language
    return language_of(text for prediction in run.predictions for text in prediction.get("references", ()))


def scored_split(run: FinishedRun) -> str:
    """The split that training was judged on: `validation` only where there is no `test`."""
    return "test" if "test" in run.splits or not run.splits else "validation"


def _rows(tuned: Mapping[str, Any], base: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    others = [*tuned.get("controls", {}).values(), *([base["metrics"]] if base else [])]
    for metric, value in tuned.get("metrics", {}).items():
        values = [value, *(other.get(metric) for other in others)]
        shown = ["–" if each is None else f"{each:.3f}" for each in values]
        yield {
            "metric": metric,
            "scores": shown,
            "normalization": tuned.get("normalization", {}).get(metric, ""),
        }


def _beaten_by_a_control(tuned: Mapping[str, Any]) -> Iterator[str]:
    controls = tuned.get("controls", {}).values()
    for name, value in tuned.get("metrics", {}).items():
        rivals = [scores[name] for scores in controls if name in scores]
        judged = name in METRICS and name != SAME_BY_DESIGN
        if judged and not all(better(name, value, rival) for rival in rivals):
            yield name


def _examples(predictions: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    shown = [each for each in predictions if each.get("caption") and each.get("references")]
    step = max(1, len(shown) // EXAMPLES)
    return [
        {"caption": each["caption"], "reference": each["references"][0]} for each in shown[::step][:EXAMPLES]
    ]


def _drops_case(model: Path) -> bool:
    file = model / "tokenizer.json"
    normalizer = json.loads(file.read_bytes()).get("normalizer") if file.exists() else None
    described = json.dumps(normalizer)
    return '"lowercase": true' in described or '"Lowercase"' in described


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
