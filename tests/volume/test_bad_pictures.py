"""Broken pictures of every kind, under every name: each costs itself and nothing else."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.volume.conftest import lines_of
from tests.volume.damage import KINDS, make_folder

GOOD, BROKEN = 84, len(KINDS)


@pytest.fixture
def folder(here):
    make_folder(here / "in", GOOD, BROKEN)
    return here / "in"


def files_below(folder: Path) -> list[str]:
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]


def shown(name: str) -> str:
    """A name as text files can hold it."""
    return name.encode("utf-8", "backslashreplace").decode()


def test_there_are_enough_kinds():
    assert len(KINDS) >= 30


def test_each_costs_itself(caption, folder):
    code, _, err = caption("in", "-o", "out.jsonl", "--batch-size", 16)
    assert code == 3
    lines = lines_of(Path("out.jsonl"))
    assert Counter(line["image"] for line in lines) == Counter(files_below(Path("in")))
    assert [line["image"] for line in lines] == sorted(files_below(Path("in")))
    assert sum("caption" in line for line in lines) == GOOD
    failed = [line["error"] for line in lines if "error" in line]
    assert len(failed) == BROKEN
    assert {error["code"] for error in failed} == {
        "empty",
        "not_an_image",
        "truncated",
        "unreadable",
        "too_large",
        "missing",
    }
    assert all(error["message"] for error in failed)
    assert f"No caption for {BROKEN} of {GOOD + BROKEN} pictures:" in err


def test_every_name_in_every_output(caption, folder):
    names = Counter(shown(name) for name in files_below(Path("in")))
    assert caption("in", "-o", "out.csv")[0] == 3
    with open("out.csv", encoding="utf-8", newline="") as file:
        assert Counter(row["image"] for row in csv.DictReader(file)) == names
    assert caption("in", "-o", "out.parquet")[0] == 3
    rows = pq.read_table("out.parquet").to_pylist()
    assert Counter(row["image"] for row in rows) == names
    assert sum(row["caption"] is not None for row in rows) == GOOD
    for output in ("out.csv", "out.parquet"):
        before = Path(output).read_bytes()
        code, _, err = caption("in", "-o", output)
        assert code == 3
        assert f"0 captioned, {GOOD} had a caption" in err  # every name is found again
        assert Path(output).read_bytes() == before


def test_text_files_beside_such_names(caption, folder):
    assert caption("in", "--to", "sidecar", "--sidecar-name", "full")[0] == 3
    texts = [name for name in files_below(Path("in")) if name.endswith(".txt")]
    too_long = [
        line
        for line in lines_of(Path("in/leyenda-captions.jsonl"))
        if "name_too_long" in str(line.get("error"))
    ]
    assert len(texts) == GOOD - sum(not line["image"].endswith(".jpeg") for line in too_long)
    assert too_long
    assert all(len(os.fsencode(os.path.basename(line["image"]))) == 255 for line in too_long)
    for name in texts:
        assert Path(name).read_text(encoding="utf-8").endswith("\n")
        assert os.path.lexists(name.removesuffix(".txt"))
    assert caption("--undo", "in")[0] == 0
    assert not [name for name in files_below(Path("in")) if name.endswith((".txt", ".partial"))]
    assert caption("in", "--to", "sidecar")[0] == 3  # 255 bytes: the ending makes way for .txt
    assert len([name for name in files_below(Path("in")) if name.endswith(".txt")]) == GOOD
