"""A data set's hub id as a source: read with the real clients from a hub on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.fakes.hub import FakeHub

# Reads every source given as JSON arguments of `load_examples`; prints what it got, or the error.
READ = """
import hashlib, json, sys
from leyenda.data.load import load_examples
from leyenda.errors import LeyendaError
for arguments in json.loads(sys.argv[1]):
    try:
        examples = load_examples(**arguments)
        rows = [[e.id, list(e.captions), e.split, hashlib.sha256(e.image.read()).hexdigest()] for e in examples]
        print(json.dumps(rows))
    except LeyendaError as error:
        print(json.dumps({"code": error.code, "message": str(error)}))
"""


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 8), (number * 20, 90, 10)).save(buffer, "PNG")
    return buffer.getvalue()


def parquet(numbers: range, word: str) -> bytes:
    """As `datasets` writes it: pictures embedded, with the name they had."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": picture(number), "path": f"boat-{number}.png"} for number in numbers]
    captions = [f"{word} boat {number}" for number in numbers]
    table = pa.table({"image": pa.array(rows, image), "text": captions})
    features = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(described), buffer)
    return buffer.getvalue()


def shards(word: str) -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: mit\n---\n# Boats\n",
        "data/train-00000-of-00001.parquet": parquet(range(6), word),
        "data/test-00000-of-00001.parquet": parquet(range(6, 9), word),
    }


def expected(word: str) -> list[list[object]]:
    return [
        [
            f"boat-{number}.png",
            [f"{word} boat {number}"],
            "train" if number < 6 else "test",
            hashlib.sha256(picture(number)).hexdigest(),
        ]
        for number in range(9)
    ]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add_repository("ana/boats", shards("a blue"), kind="datasets")
        server.add_repository("ana/secret-boats", shards("a grey"), kind="datasets", private=True)
        server.add_repository("ana/gated-boats", shards("a gold"), kind="datasets", gated=True)
        yield server


def read(hub: FakeHub, home: Path, *sources: dict[str, object], **variables: str) -> list[object]:
    """What `load_examples` makes of each source, in a process for which the fake is the hub."""
    pytest.importorskip("datasets")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps(sources)],
        env=inherited | hub.environment(home) | {"XDG_CACHE_HOME": str(home / ".cache")} | variables,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_downloaded_and_streamed_give_the_same_examples(hub: FakeHub, tmp_path: Path):
    downloaded, streamed = read(
        hub, tmp_path, {"source": "ana/boats"}, {"source": "ana/boats", "streaming": True}
    )
    assert sorted(downloaded) == sorted(expected("a blue"))
    assert sorted(streamed) == sorted(expected("a blue"))


def test_the_revision_asked_for_is_read(hub: FakeHub, tmp_path: Path):
    repository = hub.repository("ana/boats", "datasets")
    first = repository.commits[0].id
    newer = hub.add_repository("ana/newer", shards("a red"), kind="datasets")
    repository.commit("main", "Paint them red", newer.commits[0].files)
    results = read(
        hub,
        tmp_path,
        {"source": "ana/boats"},
        {"source": "ana/boats", "revision": first},
        {"source": "ana/boats", "revision": first, "streaming": True},
        {"source": "ana/boats", "streaming": True},
        {"source": "ana/boats", "revision": "no-such-branch"},
    )
    words = ["a red", "a blue", "a blue", "a red"]
    assert [sorted(rows) for rows in results[:4]] == [sorted(expected(word)) for word in words]
    assert results[4]["code"] == "hub"
    assert "'ana/boats' at revision 'no-such-branch'" in results[4]["message"]


def test_a_private_data_set_needs_its_owner_s_token(hub: FakeHub, tmp_path: Path):
    token = hub.add_user("ana")
    secret = {"source": "ana/secret-boats"}
    without, *others = read(
        hub, tmp_path, secret, secret | {"token": token}, secret | {"token": token, "streaming": True}
    )
    assert without["code"] == "hub"
    assert "'ana/secret-boats'" in without["message"]
    assert "hf auth login" in without["message"]
    assert [sorted(rows) for rows in others] == [sorted(expected("a grey"))] * 2


def test_what_cannot_be_read_is_said_in_one_line(hub: FakeHub, tmp_path: Path):
    hub.add_user("ana")
    hub.add_repository("ana/empty", {"README.md": b"# nothing\n"}, kind="datasets")
    missing, gated, empty = read(
        hub,
        tmp_path,
        {"source": "ana/no-boats"},
        {"source": "ana/gated-boats"},
        {"source": "ana/empty"},
    )
    for error in (missing, gated, empty):
        assert error["code"] in ("hub", "data")
        assert "\n" not in error["message"]
    assert "'ana/no-boats'" in missing["message"]
    assert "hf auth login" in gated["message"]
    assert "ana/empty" in empty["message"]


def test_offline_the_error_says_what_to_do(hub: FakeHub, tmp_path: Path):
    (error,) = read(hub, tmp_path, {"source": "ana/boats"}, HF_HUB_OFFLINE="1")
    assert error["code"] == "hub"
    assert "HF_HUB_OFFLINE" in error["message"]
    assert hub.requests == []
