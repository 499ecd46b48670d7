"""The review list: captions of too little confidence, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from leyenda.volume.entry import LOW_CONFIDENCE, Entry
from leyenda.volume.json_line import json_line
from leyenda.volume.whole_file import being_written


def write_review(path: Path, entries: Iterable[Entry]) -> None:
    """Write the captions that were not sure enough as JSON lines, under a temporary name.

    Raises:
        DiskError: they cannot be written.
    """
    with being_written(path) as file:
        for entry in entries:
            if entry.error is not None and entry.error.code == LOW_CONFIDENCE:
                line = {"image": entry.image, "caption": entry.proposed, "confidence": entry.confidence}
                line["reason"] = LOW_CONFIDENCE
                file.write((json_line(line) + "\n").encode())
