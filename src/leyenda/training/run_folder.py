"""The folder of a training run: what lies where, and whether it may be started or resumed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from leyenda.config import Recipe, validate_recipe
from leyenda.data.examples import Examples
from leyenda.errors import DiskError, RunError
from leyenda.training.checkpoints import whole_checkpoints
from leyenda.training.resolved_recipe import resolved


class RunFolder:
    """`RUN/`: model, checkpoints, recipe, history, metrics, predictions, report.

    Args:
        folder: the run's folder; need not exist yet.

    >>> RunFolder(Path("runs/birds")).model
    PosixPath('runs/birds/model')
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.model = self.folder / "model"
        self.checkpoints = self.folder / "checkpoints"
        self.recipe = self.folder / "recipe.yaml"
        self.history = self.folder / "history.jsonl"
        self.metrics = self.folder / "metrics.json"
        self.predictions = self.folder / "predictions.jsonl"
        self.report = self.folder / "report.html"

    def saved_recipe(self) -> Recipe:
        """The recipe that the run was started with.

        Raises:
            RunError: there is none.
        """
        if not self.recipe.is_file():
            raise RunError(
                f"{str(self.folder)!r} is not a training run: it has no recipe.yaml.",
                "Name the data to start one: leyenda train SOURCE --output RUN",
            )
        return validate_recipe(yaml.safe_load(self.recipe.read_text(encoding="utf-8")) or {})

    def check(self, recipe: Recipe, resume: bool) -> None:
        """Whether this recipe's run may start or go on here; nothing is written.

        A run that ended before its first checkpoint, because of a mistake in its data, say, may start anew.

        Raises:
            RunError: the folder holds a run and `resume` is not asked for, something else, or another
                recipe's run.
            DiskError: it may not be opened.
        """
        with self._disk_errors():
            if self.recipe.is_file():
                if resume:
                    self._check_same(recipe)
                elif self.has_begun():
                    raise RunError(
                        f"{str(self.folder)!r} already holds a training run.",
                        "Go on with it by adding --resume, or choose another --output.",
                    )
            elif self.folder.is_file():
                raise RunError(f"{str(self.folder)!r} is a file, not a folder.", "Choose another --output.")
            elif self.folder.is_dir() and not self._is_free():
                raise RunError(f"{str(self.folder)!r} is not empty.", "Choose another --output.")

    def has_begun(self) -> bool:
        """Whether there is work in it that could be lost."""
        return bool(whole_checkpoints(self.checkpoints)) or self.model.is_dir()

    def _is_free(self) -> bool:
        """Whether nothing lies here but what a process left that was killed before it began."""
        left = {"checkpoints", ".lock", ".unfinished-recipe.yaml"}
        return {path.name for path in self.folder.iterdir()} <= left

    def start(self, recipe: Recipe) -> None:
        """Write the recipe of a run that has not begun; leave one that has as it is. The run must be `locked`.

        Raises:
            DiskError: it cannot be written.
        """
        if self.has_begun():
            return
        with self._disk_errors():
            self.checkpoints.mkdir(exist_ok=True)
            (self.folder / "data.json").unlink(missing_ok=True)
            self.write_text("recipe.yaml", resolved(recipe).to_yaml())

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(
                f"The run's folder {str(self.folder)!r} cannot be written: {error.strerror}.",
                "Choose another --output.",
            ) from error

    def _check_same(self, recipe: Recipe) -> None:
        saved, given = (_flat(resolved(one).model_dump()) for one in (self.saved_recipe(), recipe))
        different = sorted(name for name in saved.keys() | given.keys() if saved.get(name) != given.get(name))
        if different:
            changes = ", ".join(
                f"{name} was {saved.get(name)!r} and is now {given.get(name)!r}" for name in different
            )
            raise RunError(
                f"The run {str(self.folder)!r} was started with another recipe: {changes}.",
                "Resume with the same one, or start a new run with another --output.",
            )

    def check_data(self, examples: Examples) -> None:
        """Remember which examples the run is on, or check that they are still the same.

        Raises:
            RunError: the data has changed since the run was started.
        """
        digest = hashlib.sha256()
        for example in examples:
            digest.update(repr((example.id, example.split, example.captions)).encode())
        now = {"pictures": len(examples), "splits": examples.splits(), "digest": digest.hexdigest()}
        path = self.folder / "data.json"
        if not path.is_file():
            self.write_json("data.json", now)
        elif json.loads(path.read_text(encoding="utf-8"))["digest"] != now["digest"]:
            raise RunError(
                f"The data of the run {str(self.folder)!r} has changed since it was started.",
                "Restore it, or start a new run with another --output.",
            )

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write `RUN/name` whole."""
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write `RUN/name` whole."""
        draft = self.folder / f".unfinished-{name}"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, self.folder / name)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process out of the run; the lock ends with the process, however that ends.

        Raises:
            DiskError: the folder cannot be created or written to.
            RunError: another process is at work on it.
        """
        with self._disk_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(
                    f"Another process is at work on {str(self.folder)!r}.",
                    "Wait for it, or choose another --output.",
                ) from error
            yield


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
