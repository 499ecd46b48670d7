"""Where the list of captions to review may lie: over nothing but an earlier such list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from leyenda.errors import LeyendaError
from leyenda.volume.entry import LOW_CONFIDENCE

_KEYS = {"image", "caption", "confidence", "reason"}
_ENDINGS = (".jsonl", ".ndjson")
_LOOKED_AT = 100
"""Lines of a file that is there which must be those of such a list."""


def check_review_place(path: Path, *, outputs: Iterable[Path], inputs: Iterable[str]) -> Path:
    """See that a review list may be written there.

    Args:
        path: of the list.
        outputs: files that the run writes beside it.
        inputs: files that were named.

    Raises:
        LeyendaError: it would take the place of something else.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise LeyendaError(
            f"The review list is JSON lines, and {str(path)!r} has another ending.",
            f"Name it {path.stem or 'captions'}.review.jsonl.",
        )
    place = os.path.realpath(path.expanduser())
    for taken, what in (
        *((os.fspath(output), "the captions go there") for output in outputs),
        *((name, "it is one of the inputs") for name in inputs),
    ):
        if os.path.realpath(os.path.expanduser(taken)) == place:
            raise LeyendaError(
                f"{str(path)!r} cannot be the review list: {what}.", "Name another file: --review FILE."
            )
    if os.path.isfile(place) and not _is_review_list(Path(place)):
        raise LeyendaError(
            f"{str(path)!r} exists already, and is no review list of leyenda's.",
            "Name another file: --review FILE.",
        )
    return path.expanduser()


def _is_review_list(path: Path) -> bool:
    """Whether the first lines of a file are those of a review list; an empty file is one without captions."""
    try:
        with open(path, "rb") as file:
            values = [json.loads(line) for line in islice(file, _LOOKED_AT) if not line.isspace()]
    except (ValueError, OSError):
        return False
    return all(
        isinstance(value, dict) and value.keys() >= _KEYS and value["reason"] == LOW_CONFIDENCE
        for value in values
    )
