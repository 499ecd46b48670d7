"""What a model was made from: base model and data, named so that a stranger understands it."""

from __future__ import annotations

import re
from pathlib import Path

from leyenda.config import Recipe
from leyenda.sharing.markdown import inline
from leyenda.sharing.privacy import public_name

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
DEMO = "demo"


def hub_model(recipe: Recipe) -> str | None:
    """The base model's hub id, or None when it came from this machine or there was none."""
    return None if recipe.model.from_scratch else _hub_id(recipe.model.name)


def hub_data_set(recipe: Recipe) -> str | None:
    """The data set's hub id, or None when the pictures came from this machine."""
    return _hub_id(recipe.data.source) if recipe.data.format in (None, "hub") else None


def model_named(recipe: Recipe) -> str:
    """How the model came about, as part of a sentence in Markdown."""
    if recipe.model.from_scratch:
        return f"trained from scratch (size {inline(recipe.model.from_scratch)})"
    if recipe.model.name == DEMO:
        return "fine-tuned from the small demonstration model that comes with leyenda"
    if base := hub_model(recipe):
        return f"fine-tuned from {inline(base)}"
    return f"fine-tuned from the local model “{inline(_last_name(recipe.model.name))}”"


def data_named(recipe: Recipe, *, sentence: bool = True) -> str:
    """Where the pictures came from: a sentence in Markdown, or the bare name."""
    data_set = hub_data_set(recipe)
    name = data_set or _last_name(recipe.data.source) or "pictures without a name"
    if not sentence:
        return name
    if data_set:
        revision = f", revision {inline(recipe.data.revision)}" if recipe.data.revision else ""
        return f"Trained on the hub's data set {inline(data_set)}{revision}."
    return f"Trained on the local data set “{inline(name)}”, which is not published with the model."


def _hub_id(name: str) -> str | None:
    # A relative folder may be written like a hub id; where it is there, it is what training read.
    return name if _HUB_ID.fullmatch(name) and not Path(name).exists() else None


def _last_name(path: str) -> str:
    return Path(public_name(path)).name
