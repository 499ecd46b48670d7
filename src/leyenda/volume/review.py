"""The review list: captions of too little confidence, for a person to look at."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from leyenda.errors import LeyendaError
from leyenda.volume.entries_by_name import EntriesByName, entries_of_lines
from leyenda.volume.entry import LOW_CONFIDENCE, Entry
from leyenda.volume.json_line import json_line
from leyenda.volume.whole_file import being_written

_FIELDS = {"image", "caption"}
_OWN = {*_FIELDS, "confidence", "reason"}
"""What leyenda writes of each picture; all else a person has added."""


def write_review(path: Path, entries: Iterable[Entry], *, anew: bool = False) -> None:
    """Write the captions that were not sure enough as JSON lines, under a temporary name.

    What the list says already of pictures that these entries do not settle stays in it. Of one for which there is
    another caption now, what people added to the line stays, and the caption that it had stands beside the new one as
    `was`: a person may have mended it.

    Args:
        path: the list.
        entries: of the run, and those that stay from earlier ones.
        anew: forget what the list says already.

    Raises:
        LeyendaError: what is there is no review list.
        DiskError: it cannot be written.
    """
    with open(path, "rb") if path.exists() and not anew else io.BytesIO() as earlier:
        known = entries_of_lines(earlier, lambda line: _proposal(line, path))
        with being_written(path) as file:
            for entry in _unsettled(entries, known):
                line = {
                    "image": entry.image,
                    "caption": entry.proposed,
                    "confidence": entry.proposed_confidence,
                    "reason": LOW_CONFIDENCE,
                }
                file.write((json_line(line | dict(entry.others or {})) + "\n").encode())


def _unsettled(entries: Iterable[Entry], known: EntriesByName) -> Iterable[Entry]:
    for entry in entries:
        earlier = known.take(entry.image)
        if entry.error is None:
            continue
        if entry.error.code == LOW_CONFIDENCE and entry.proposed is not None:
            yield replace(entry, others=_persons_words(entry, earlier))
        elif earlier is not None:
            yield earlier
    yield from known.rest()


def _persons_words(entry: Entry, earlier: Entry | None) -> dict[str, Any]:
    """What the new line keeps of the one that was there."""
    if earlier is None:
        return {}
    kept = dict(earlier.others or {})
    if earlier.proposed not in (entry.proposed, None):
        kept["was"] = earlier.proposed
    return kept


def _proposal(line: bytes, path: Path) -> Entry:
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or not value.keys() >= _FIELDS:
            raise ValueError("not a line of a review list")
        return Entry(
            str(value["image"]),
            proposed=value["caption"],
            proposed_confidence=value.get("confidence"),
            others={name: told for name, told in value.items() if name not in _OWN},
        )
    except ValueError as error:
        raise LeyendaError(
            f"{str(path)!r} exists already, and is no review list.", "Name another file: --review FILE"
        ) from error
