"""`history.jsonl`: one line per log entry of a run, in step with its checkpoints."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add one row; numbers that JSON does not know become null."""
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite, ensure_ascii=False) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole row; a last line that a kill tore in two is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def cut_after(path: Path, step: int) -> None:
    """Forget what was logged after `step`: the resumed run will log it again."""
    rows = [row for row in read(path) if row.get("step", 0) <= step]
    draft = path.with_name(path.name + ".unfinished")
    draft.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    os.replace(draft, path)
