"""Data sets on the Hub that hold files and not tables: the names are those of the files, however they are read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from PIL import Image
from tests.fakes.hub import FakeHub

READ = """
import hashlib, json, sys
from leyenda.data import load_examples
for source in sys.argv[1:]:
    for streaming in (False, True):
        examples = load_examples(source, streaming=streaming)
        print(json.dumps([[e.id, e.captions, e.split, hashlib.sha256(e.image.read()).hexdigest()] for e in examples]))
"""
SPLITS = {"train": range(3), "test": range(3, 5)}


def picture(number: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (4, 4), (number * 40, 0, 9)).save(held, "PNG")
    return held.getvalue()


def captions(number: int) -> list[str]:
    return [f"boat {number}", f"a boat, numbered {number}"]


def imagefolder() -> dict[str, bytes]:
    files = {"README.md": b"# Boats\n"}
    for split, numbers in SPLITS.items():
        rows = [{"file_name": f"sea/{number}.png", "captions": captions(number)} for number in numbers]
        files[f"{split}/metadata.jsonl"] = "".join(json.dumps(row) + "\n" for row in rows).encode()
        files |= {f"{split}/sea/{number}.png": picture(number) for number in numbers}
    return files


def shards() -> dict[str, bytes]:
    files = {}
    for split, numbers in SPLITS.items():
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as tar:
            for number in numbers:
                for ending, data in (
                    (".png", picture(number)),
                    (".txt", "\n".join(captions(number)).encode()),
                ):
                    member = tarfile.TarInfo(f"sea/{number}{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        files[f"{split}-00000.tar"] = held.getvalue()
    return files


def test_files_on_the_hub_downloaded_and_streamed(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    with FakeHub() as hub:
        hub.add_user("ana")
        hub.add_repository("ana/folder", imagefolder(), kind="datasets")
        hub.add_repository("ana/shards", shards(), kind="datasets")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        done = subprocess.run(
            [sys.executable, "-c", READ, "ana/folder", "ana/shards"],
            env=inherited | hub.environment(tmp_path) | {"XDG_CACHE_HOME": str(tmp_path / ".cache")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    expected = [
        [f"sea/{number}.png", captions(number), split, hashlib.sha256(picture(number)).hexdigest()]
        for split, numbers in SPLITS.items()
        for number in numbers
    ]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [expected] * 4
