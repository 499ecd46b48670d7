"""The program that the world reads picture metadata with, as the judge of what was written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest


def exiftool(*arguments: str) -> str:
    """Run exiftool and give back what it says; skip where there is none."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("needs exiftool (on Debian: sudo apt install libimage-exiftool-perl)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False).stdout


def tags(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Every tag of every file (`group:name` -> value), warnings of its validation included, in one start."""
    wanted = ["-json", "-G1", "-struct", "-a", "-validate", "-warning", "-error", "-all"]
    found: list[dict[str, Any]] = json.loads(exiftool(*wanted, *map(str, paths)))
    return found
