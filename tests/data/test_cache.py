from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leyenda.data import load_examples
from leyenda.data.cache import cache_folder
from leyenda.errors import DataError

PICTURES = [b"\xff\xd8\xffone", b"\xff\xd8\xfftwo", b"\xff\xd8\xffone"]


def write(path: Path, pictures: list[bytes] = PICTURES) -> None:
    names = [f"{picture[3:].decode()}.jpg" for picture in pictures]
    rows = {"image": pictures, "file_name": names, "text": [f"caption {n}" for n in range(len(pictures))]}
    pq.write_table(pa.table(rows), path)


def blobs() -> list[Path]:
    return sorted(cache_folder().rglob("pictures.bin"))


def test_each_picture_is_stored_once(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    examples = load_examples(tmp_path / "a.parquet")
    assert [(each.id, each.captions, each.image.read()) for each in examples] == [
        ("one.jpg", ("caption 0", "caption 2"), PICTURES[0]),
        ("two.jpg", ("caption 1",), PICTURES[1]),
    ]
    (blob,) = blobs()
    assert blob.stat().st_size == len(PICTURES[0]) + len(PICTURES[1])


def test_the_second_reading_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    first = load_examples(tmp_path / "a.parquet")
    (blob,) = blobs()
    before = blob.stat()
    again = load_examples(tmp_path / "a.parquet")
    assert list(again) == list(first)
    assert again[0].image == first[0].image
    assert (blobs()[0].stat().st_ino, blobs()[0].stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def tear_blob(entry: Path) -> None:
    with open(entry / "pictures.bin", "r+b") as file:
        file.truncate(5)


def tear_index(entry: Path) -> None:
    with open(entry / "index.arrow", "r+b") as file:
        file.truncate((entry / "index.arrow").stat().st_size // 2)


@pytest.mark.parametrize(
    "damage",
    [
        tear_blob,
        tear_index,
        lambda entry: (entry / "pictures.bin").unlink(),
        lambda entry: (entry / "index.arrow").write_bytes(b""),
    ],
)
def test_a_torn_entry_is_made_again(tmp_path: Path, damage: object) -> None:
    write(tmp_path / "a.parquet")
    load_examples(tmp_path / "a.parquet")
    damage(blobs()[0].parent)  # type: ignore[operator]
    assert [each.image.read() for each in load_examples(tmp_path / "a.parquet")] == PICTURES[:2]
    assert len(blobs()) == 1
    assert [entry.name for entry in blobs()[0].parent.parent.iterdir()] == [blobs()[0].parent.name]


def test_a_source_that_changed_is_read_again(tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    write(source)
    load_examples(source)
    changed = [b"\xff\xd8\xffone", b"\xff\xd8\xffsix"]
    write(source, changed)
    assert [each.image.read() for each in load_examples(source)] == changed


def test_other_columns_are_another_entry(tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"image": [b"x"], "file_name": ["x.jpg"], "text": ["one"], "title": ["two"]}), source
    )
    assert load_examples(source)[0].captions == ("one",)
    assert load_examples(source, caption_column="title")[0].captions == ("two",)


def test_a_moved_cache_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.parquet")
    monkeypatch.setenv("LEYENDA_CACHE", str(tmp_path / "old"))
    load_examples(tmp_path / "a.parquet")
    os.rename(tmp_path / "old", tmp_path / "new")
    monkeypatch.setenv("LEYENDA_CACHE", str(tmp_path / "new"))
    examples = load_examples(tmp_path / "a.parquet")
    assert examples[0].image.path.startswith(str(tmp_path / "new"))
    assert examples[0].image.read() == PICTURES[0]


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, isolated_home: Path) -> None:
    assert cache_folder() == isolated_home / ".cache" / "leyenda"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == isolated_home / ".cache" / "leyenda"
    monkeypatch.setenv("LEYENDA_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")


def test_a_source_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x", b"y"], "text": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="a caption is not text"):
        load_examples(tmp_path / "a.parquet")
    assert list(cache_folder().rglob("*.partial")) == blobs() == []
