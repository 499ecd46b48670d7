"""Files beside pictures and copies of them: each is one picture's, and never written over another."""

from __future__ import annotations

import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.volume.conftest import draw, lines_of
from tests.volume.kill_many import everything_in

from leyenda.metadata import Description, embed_description, is_same_picture, read_description
from leyenda.volume.outputs.metadata import Metadata

RECORD = "leyenda-captions.jsonl"


def description(path):
    return read_description(path.read_bytes()).description


def encoded(seed, kind="PNG"):
    file = io.BytesIO()
    Image.linear_gradient("L").rotate(seed * 10).resize((50, 40)).convert("RGB").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["metadata", "sidecar"])
def test_nothing_stands_beside_pictures_of_a_table(caption, here, kind):
    rows = [{"image": {"bytes": encoded(seed), "path": f"{seed}.png"}} for seed in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), here / "t.parquet")
    code, _, err = caption("t.parquet", "--to", kind)
    assert code == 2
    assert "is no file of its own" in err
    assert "--output FOLDER." in err
    assert sorted(path.name for path in here.iterdir()) == ["t.parquet"]
    assert caption("t.parquet", "--to", kind, "-o", "out")[0] == 0


@pytest.fixture
def two_sources(here):
    """Two folders with different pictures of the same name."""
    draw(here / "one" / "a.jpg", 1)
    draw(here / "two" / "a.jpg", 2)
    return here


@pytest.mark.parametrize("way", ["skip", "overwrite", "append"])
@pytest.mark.parametrize("kind", ["metadata", "sidecar"])
def test_pictures_of_two_folders_are_not_mixed(caption, two_sources, kind, way):
    draw(two_sources / "two" / "b.jpg", 3)
    assert caption("one", "--to", kind, "-o", "out")[0] == 0
    before = everything_in(two_sources / "out")
    code, _, err = caption("two", "--to", kind, "-o", "out", "--existing", way)
    assert code == 3
    assert "No caption for 1 of 2 pictures:" in err
    reasons = {
        "metadata": "'two/a.jpg' gets no caption: 'out/a.jpg' was written for 'one/a.jpg'. Name another folder",
        "sidecar": "'two/a.jpg' gets no caption: 'out/a.txt' was written for 'one/a.jpg'. Name another folder",
    }
    assert reasons[kind] in err
    after = everything_in(two_sources / "out")
    assert {name: after[name] for name in before if name != RECORD} == {
        name: data for name, data in before.items() if name != RECORD
    }
    assert caption("./one", "--to", kind, "-o", "out")[0] == 0  # by another name it is the same picture


def test_a_copy_of_a_picture_that_was_edited_since(caption, two_sources):
    assert caption("one", "--to", "metadata", "-o", "out")[0] == 0
    draw(two_sources / "one" / "a.jpg", 7)
    before = (two_sources / "out" / "a.jpg").read_bytes()
    code, _, err = caption("one", "--to", "metadata", "-o", "out", "--existing", "overwrite")
    assert code == 3
    assert "'out/a.jpg' is there already, and is no copy of 'one/a.jpg' as it is now." in err
    assert (two_sources / "out" / "a.jpg").read_bytes() == before


def test_a_described_picture_is_copied_as_it_is(caption, photos, here):
    own = embed_description((photos / "b.jpg").read_bytes(), Description("my own words", writer="Ana"))
    (photos / "b.jpg").write_bytes(own)
    code, _, err = caption("photos", "--to", "metadata", "-o", "out")
    assert code == 0
    assert "6 pictures: 5 captioned, 1 had a caption" in err
    assert (here / "out" / "b.jpg").read_bytes() == own
    (here / "out" / "b.jpg").unlink()
    assert caption("photos", "--to", "metadata", "-o", "out")[0] == 0
    assert (here / "out" / "b.jpg").read_bytes() == own
    assert caption("--undo", "out")[0] == 0
    assert not (here / "out" / "b.jpg").exists()
    assert caption("--undo", "out")[0] == 0
    assert list(everything_in(here / "out")) == [RECORD]


def test_copies_of_described_pictures_stay_in_the_record_when_the_run_was_stopped(
    caption, photos, here, monkeypatch
):
    for picture in (path for path in photos.rglob("*") if path.is_file()):
        picture.write_bytes(embed_description(picture.read_bytes(), Description(f"I wrote {picture.name}.")))

    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Metadata, "write", stopped)
        assert caption("photos", "--to", "metadata", "-o", "out")[0] == 130
    assert caption("photos", "--to", "metadata", "-o", "out")[0] == 0
    pictures = everything_in(photos)
    assert everything_in(here / "out").items() >= pictures.items()
    assert caption("--undo", "out")[0] == 0
    assert list(everything_in(here / "out")) == [RECORD]


def test_names_that_no_file_can_have_cost_their_picture(caption, photos, here):
    (here / "names.txt").write_bytes(b"photos/a.png\nphotos/a\0b.png\nphotos/c.png\n")
    rows = [
        {"image": name} for name in ("photos/a.png", "photos/a\0b.png", "photos/\ud800.png", "photos/c.png")
    ]
    (here / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for number, words in enumerate((["--list", "names.txt"], ["rows.jsonl"])):
        for kind in (["--to", "sidecar"], ["--to", "metadata"], ["--to", "metadata"], ["--to", "sidecar"]):
            code, _, err = caption(*words, *kind, "-o", f"out{number}{kind[1]}")
            assert code == 3
            assert "no file can have such a name" in err
        for kind in ("sidecar", "metadata"):
            written = {name.rpartition("/")[2] for name in everything_in(here / f"out{number}{kind}")} - {
                RECORD
            }
            assert written == {"sidecar": {"a.txt", "c.txt"}, "metadata": {"a.png", "c.png"}}[kind]
    for kind in ("sidecar", "metadata"):
        assert caption("rows.jsonl", "--to", kind)[0] == 3
    assert caption("rows.jsonl", "-o", "out.jsonl")[0] == 3
    (here / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    assert caption("rows.jsonl", "-o", "out.jsonl", "--retry-failed")[0] == 3
    assert sum("caption" in line for line in lines_of(here / "out.jsonl")) == 2


def test_text_files_for_rows_of_a_table(caption, here):
    table = pa.table({"image": [encoded(number) for number in range(3)]})
    pq.write_table(table, "rows.parquet")
    assert caption("rows.parquet", "--to", "sidecar", "-o", "out")[0] == 0
    assert sorted(everything_in(here / "out")) == [
        RECORD,
        "rows.parquet:1.txt",
        "rows.parquet:2.txt",
        "rows.parquet:3.txt",
    ]


def test_the_hint_for_names_that_are_the_same_works(caption, two_sources):
    code, _, err = caption("one", "two", "--to", "sidecar", "-o", "out")
    assert code == 2
    assert "'one/a.jpg' and 'two/a.jpg' would share the file 'out/a.txt'." in err
    assert "--sidecar-name" not in err
    assert "Write one file for all (-o captions.jsonl), or caption them in two runs, into two folders." in err
    for folder in ("one", "two"):
        assert caption(folder, "--to", "sidecar", "-o", f"out-{folder}")[0] == 0
    assert caption("one", "two", "-o", "captions.jsonl")[0] == 0


def test_a_picture_is_never_overwritten_by_a_caption(caption, here):
    (here / "photo.txt").write_bytes(encoded(1, "JPEG"))
    draw(here / "photo.png", 2)
    before = (here / "photo.txt").read_bytes()
    (here / "names.txt").write_text("photo.txt\n")
    assert caption("--list", "names.txt", "--to", "sidecar", "--existing", "overwrite")[0] == 0
    assert (here / "photo.txt").read_bytes() == before
    assert (here / "photo.txt.txt").exists()
    (here / "names.txt").write_text("photo.txt\nphoto.png\n")
    code, _, err = caption("--list", "names.txt", "--to", "sidecar", "--existing", "overwrite")
    assert code == 2
    assert "What is said of 'photo.png' would be written over the picture 'photo.txt'." in err
    code, _, err = caption("photo.png", "--to", "sidecar", "--existing", "overwrite")
    assert code == 3
    assert "'photo.txt' would hold the caption, and is a picture itself." in err
    assert (here / "photo.txt").read_bytes() == before


def bytes_in(source, here):
    """Pictures that are no files of their own: the words that name them, their copies' names, and the bytes."""
    pictures = [encoded(number, kind) for number, kind in enumerate(["PNG", "JPEG", "WEBP"])]
    if source == "parquet":
        pq.write_table(pa.table({"image": pictures}), "rows.parquet")
        names = ["rows.parquet:1.png", "rows.parquet:2.jpg", "rows.parquet:3.webp"]
        return ["rows.parquet"], dict(zip(names, pictures, strict=True))
    names = ["0.png", "1.jpg", "deep/2.webp"]
    if source == "shard":
        with tarfile.open("shard.tar", "w") as tar:
            for name, data in zip(names, pictures, strict=True):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return ["shard.tar"], dict(zip(names, pictures, strict=True))
    names = ["0.png", "1.jpg", "2.webp"]
    return [f"http://example.org/{name}" for name in names], dict(zip(names, pictures, strict=True))


@pytest.mark.parametrize("source", ["parquet", "shard", "address"])
def test_described_copies_from_bytes(caption, here, monkeypatch, source):
    words, pictures = bytes_in(source, here)
    monkeypatch.setattr("leyenda.volume.reading.fetch", lambda url: pictures[url.rpartition("/")[2]])
    (here / "deep" / "elsewhere").mkdir(parents=True)
    (here / "link").symlink_to("deep/elsewhere")
    assert caption(*words, "--to", "metadata", "-o", "./link/../out")[0] == 0
    (here / "deep" / "out").rename(here / "out")
    assert set(everything_in(here / "out")) == {RECORD, *pictures}
    for name, data in pictures.items():
        copy = (here / "out" / name).read_bytes()
        assert read_description(copy).ai_generated
        assert is_same_picture(copy, data)
    code, _, err = caption(*words, "--to", "metadata", "-o", "out")
    assert code == 0
    assert "3 pictures: 0 captioned, 3 had a caption" in err
    assert caption("--undo", "out")[0] == 0
    assert list(everything_in(here / "out")) == [RECORD]
    code, _, err = caption(*words, "--to", "metadata")
    assert code == 2
    assert "Have described copies made: --output FOLDER." in err


@pytest.mark.parametrize("source", ["parquet", "shard", "address"])
def test_copies_that_a_stopped_run_had_not_come_to(caption, here, monkeypatch, source):
    words, pictures = bytes_in(source, here)
    monkeypatch.setattr("leyenda.volume.reading.fetch", lambda url: pictures[url.rpartition("/")[2]])
    assert caption(*words, "--to", "metadata", "-o", "undisturbed")[0] == 0

    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Metadata, "write", stopped)
        assert caption(*words, "--to", "metadata", "-o", "./out/")[0] == 130
    assert list(everything_in(here / "out")) == [RECORD]
    assert caption(*words, "--to", "metadata", "-o", "out")[0] == 0
    assert everything_in(here / "out") == everything_in(here / "undisturbed")
