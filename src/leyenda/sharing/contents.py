"""Which files of a run go to the hub, and which stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from leyenda.config import Recipe, validate_recipe
from leyenda.sharing.finished_run import CARD, FinishedRun
from leyenda.sharing.privacy import without_private_values

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "processor_config.json",
    "preprocessor_config.json",
    "chat_template.*",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
)
"""What a checkpoint is made of. A list of what may go, so that what nobody thought of stays at home."""


@dataclass(frozen=True)
class Contents:
    """What a push sends.

    Args:
        files: name in the repository -> the file, or the bytes when they are made for the push.
        left_out: names in the run folder that are not sent; folders end in `/`.
    """

    files: Mapping[str, Path | bytes]
    left_out: tuple[str, ...]

    def sizes(self) -> dict[str, int]:
        """Name in the repository -> size in bytes."""
        return {
            name: len(file) if isinstance(file, bytes) else file.stat().st_size
            for name, file in self.files.items()
        }


def is_model_file(name: str) -> bool:
    """Whether a name at the top of a repository is part of a checkpoint.

    >>> is_model_file("model-00001-of-00002.safetensors"), is_model_file("optimizer.pt")
    (True, False)
    """
    return any(fnmatch(name, pattern) for pattern in MODEL_FILES)


def contents_of(run: FinishedRun, card: str) -> Contents:
    """Choose what of a run goes to the hub: the checkpoint, the card, the recipe and the scores.

    Args:
        run: the run, or the bare model.
        card: text of the repository's `README.md`.
    """
    files: dict[str, Path | bytes] = {CARD: card.encode()}
    for file in sorted(run.model.iterdir()):
        if file.is_file() and is_model_file(file.name):
            files[file.name] = file
    if run.recipe:
        files["recipe.yaml"] = public_recipe(run.recipe).encode()
    if run.metrics:
        text = json.dumps(without_private_values(run.metrics), indent=2, ensure_ascii=False)
        files["metrics.json"] = f"{text}\n".encode()
    return Contents(files, tuple(_left_out(run, files)))


def public_recipe(recipe: Recipe) -> str:
    """A recipe as YAML, without what should stay at home."""
    return validate_recipe(without_private_values(recipe.model_dump())).to_yaml()


def _left_out(run: FinishedRun, files: Mapping[str, object]) -> Iterator[str]:
    folders = [run.path] if run.path == run.model else [run.model, run.path]
    for folder in folders:
        for entry in sorted(folder.iterdir()):
            if entry.name not in files and entry != run.model and not entry.name.startswith("."):
                yield entry.relative_to(run.path).as_posix() + ("/" if entry.is_dir() else "")
