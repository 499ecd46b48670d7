"""Checkpoints that are whole or not there: written beside their place, flushed to disk, then renamed into it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from leyenda.errors import DiskError

STATE_FILE = "trainer_state.json"
_PREFIX = "checkpoint-"
_UNFINISHED = ".unfinished-"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("no space left", "disk quota", "file write failed", "pytorchstreamwriter")
"""How safetensors, and torch sometimes, which raise kinds of their own, say that the disk is full."""

_NEXT_TO_NOTHING = 1 << 20
"""Free bytes below which a failed write is put down to a full disk: torch's own messages do not say it."""


@contextlib.contextmanager
def written_whole(place: Path) -> Iterator[Path]:
    """A folder to fill that appears at `place` only when it is complete and on the disk.

    An older folder at `place` stays until then.

    Raises:
        DiskError: the disk is full or may not be written to; nothing is left behind.
    """
    draft = place.with_name(_UNFINISHED + place.name)
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        yield draft
        _flush(draft)
        if place.exists():
            old = place.with_name(_UNFINISHED + "old-" + place.name)
            shutil.rmtree(old, ignore_errors=True)
            os.rename(place, old)
            os.rename(draft, place)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(draft, place)
        _flush_entry(place.parent)
    except BaseException as error:
        explained = _disk_error(error, place)
        shutil.rmtree(draft, ignore_errors=True)
        if explained:
            raise explained from error
        raise


def _disk_error(error: BaseException, place: Path) -> DiskError | None:
    fix = "Free some space, then run the same command with --resume."
    words = str(error).lower()
    said = getattr(error, "errno", None) in _FULL or any(word in words for word in _FULL_WORDS)
    unsaid = isinstance(error, RuntimeError) and shutil.disk_usage(place.parent).free < _NEXT_TO_NOTHING
    if said or unsaid:
        return DiskError(f"The disk is full: {str(place)!r} could not be written.", fix)
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        return DiskError(f"{str(place)!r} may not be written to.", "Choose another --output.")
    return None


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _flush_entry(folder)


def _flush_entry(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checkpoint_at(folder: Path, step: int) -> Path:
    """The place of the checkpoint of a step."""
    return folder / f"{_PREFIX}{step}"


def whole_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """`(step, folder)` of every complete checkpoint, oldest step first."""
    found = []
    for path in folder.glob(f"{_PREFIX}*"):
        step = path.name.removeprefix(_PREFIX)
        if step.isdigit() and (path / STATE_FILE).is_file():
            found.append((int(step), path))
    return sorted(found)


def read_state(checkpoint: Path) -> dict[str, object]:
    """The Trainer's own state as it was saved with the checkpoint."""
    state = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    assert isinstance(state, dict)
    return state


def tidy(folder: Path) -> None:
    """Remove what a killed process left half written or half deleted."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)


def rotate(folder: Path, keep: int | None, best_step: int | None) -> None:
    """Delete the oldest checkpoints beyond `keep`; the newest and the best always stay.

    Args:
        folder: the run's `checkpoints/`.
        keep: how many stay, best included; None keeps all.
        best_step: step of the best one, if it is known.
    """
    if keep is None or keep <= 0:
        return
    checkpoints = whole_checkpoints(folder)
    surplus = len(checkpoints) - keep
    newest = checkpoints[-1][0] if checkpoints else None
    for step, path in checkpoints:
        if surplus <= 0:
            return
        if step in (newest, best_step):
            continue
        # Renamed first: a process killed while it deletes leaves no folder that looks like a checkpoint.
        doomed = path.with_name(_UNFINISHED + path.name)
        os.rename(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        surplus -= 1
