"""Captions that are there already: kept, replaced only when asked, and brought back."""

from __future__ import annotations

import json
import os

import pytest
from tests.volume.conftest import draw, lines_of, stop_at_batch
from tests.volume.kill_many import everything_in

from leyenda.cli import main

RECORD = "leyenda-captions.jsonl"


def texts(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt"))}


def test_a_person_s_text_is_kept(caption, photos):
    (photos / "b.txt").write_text("my own words")
    code, _, err = caption("photos", "--to", "sidecar")
    assert code == 0
    assert "6 pictures: 5 captioned, 1 had a caption" in err
    assert texts(photos)["b.txt"] == "my own words"
    assert sorted(texts(photos)) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt"]
    plain = caption(photos / "a.png")[1]
    assert texts(photos)["a.txt"] == plain


@pytest.mark.parametrize(
    ("way", "expected"),
    [("overwrite", "{new}\n"), ("append", "my own words {new}\n"), ("prepend", "{new} my own words\n")],
)
@pytest.mark.parametrize("naming", ["stem", "full"])
def test_each_way_and_back(caption, photos, way, expected, naming):
    name = {"stem": "b.txt", "full": "b.jpg.txt"}[naming]
    (photos / name).write_bytes(b"my own words\r\n\n")
    (photos / name).chmod(0o640)
    before = everything_in(photos)
    new = caption("photos/b.jpg")[1].strip()
    assert caption("photos", "--to", "sidecar", "--existing", way, "--sidecar-name", naming)[0] == 0
    assert texts(photos)[name] == expected.format(new=new)
    assert (photos / name).stat().st_mode & 0o777 == 0o640
    (replaced,) = [line for line in lines_of(photos / RECORD) if "was" in line]
    assert replaced["was"] == "my own words\r\n\n"
    code, _, err = caption("--undo", photos / RECORD)
    assert (code, err) == (0, "Taken back: 6 of 6.\n")
    (photos / RECORD).unlink()
    assert everything_in(photos) == before


def test_undo_takes_back_one_run_at_a_time(caption, photos):
    assert caption("photos", "--to", "sidecar")[0] == 0
    first = texts(photos)
    assert caption("photos", "--to", "sidecar", "--existing", "overwrite", "--prefix", "again:")[0] == 0
    assert texts(photos) != first
    assert caption("--undo", "photos")[0] == 0
    assert texts(photos) == first
    assert caption("--undo", "photos")[0] == 0
    assert texts(photos) == {}
    code, _, err = caption("--undo", "photos")
    assert code == 2
    assert "is undone already" in err


def test_undo_leaves_what_somebody_changed_since(caption, photos):
    assert caption("photos", "--to", "sidecar")[0] == 0
    (photos / "a.txt").write_text("mended by hand\n")
    (photos / "c.txt").unlink()
    code, _, err = caption("--undo", "photos")
    assert code == 3
    assert "'photos/a.txt' was changed since; it is left as it is." in err
    assert texts(photos) == {"a.txt": "mended by hand\n"}
    (photos / "a.txt").unlink()
    assert caption("--undo", "photos")[0] == 0


def test_undo_that_is_stopped_goes_on(caption, photos, monkeypatch):
    from leyenda.volume.outputs.sidecar import Sidecar

    (photos / "b.txt").write_text("my own words")
    before = texts(photos)
    assert caption("photos", "--to", "sidecar", "--existing", "overwrite")[0] == 0
    restore, calls = Sidecar.restore, []

    def stopped(self, entry):
        calls.append(entry)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return restore(self, entry)

    monkeypatch.setattr(Sidecar, "restore", stopped)
    assert caption("--undo", "photos")[0] == 130
    assert texts(photos) != before
    assert caption("--undo", "photos")[0] == 0
    assert texts(photos) == before


def test_a_stopped_run_can_be_taken_back(caption, photos, monkeypatch):
    (photos / "a.txt").write_text("my own words")
    with monkeypatch.context() as patch:
        stop_at_batch(patch, 2)
        assert caption("photos", "--to", "sidecar", "--existing", "overwrite")[0] == 130
    assert len(texts(photos)) == 2
    assert caption("--undo", "photos")[0] == 0
    assert texts(photos) == {"a.txt": "my own words"}
    assert caption("photos", "--to", "sidecar")[0] == 0  # the run that was taken back is not gone on with
    assert len(texts(photos)) == 6


def test_two_pictures_that_would_share_a_file(caption, photos, monkeypatch):
    draw(photos / "deep" / "e.png", 50)
    code, _, err = caption("photos", "--to", "sidecar", "--model", "./no-model")
    assert code == 2
    assert err == (
        "leyenda: error: 'photos/deep/e.png' and 'photos/deep/e.webp' would share the file 'photos/deep/e.txt'. "
        "Name the files after the whole picture: --sidecar-name full.\n"
    )
    assert texts(photos) == {}
    assert not (photos / RECORD).exists()
    assert caption("photos", "--to", "sidecar", "--sidecar-name", "full")[0] == 0
    assert len(texts(photos)) == 7


def test_two_folders_into_one(caption, here):
    draw(here / "one" / "a.png", 1)
    draw(here / "two" / "a.png", 2)
    code, _, err = caption("one", "two", "--to", "sidecar", "--output", "out", "--sidecar-name", "full")
    assert code == 2
    assert "'one/a.png' and 'two/a.png' would share the file 'out/a.png.txt'." in err


def test_a_folder_that_mirrors(caption, photos, here):
    before = everything_in(photos)
    assert caption("photos", "--to", "sidecar", "--output", "out")[0] == 0
    assert sorted(everything_in(here / "out")) == [
        *("a.txt", "b.txt", "c.txt", "deep/d.txt", "deep/e.txt", "f.txt"),
        RECORD,
    ]
    assert everything_in(photos) == before
    assert caption("--undo", "out")[0] == 0
    assert sorted(everything_in(here / "out")) == [RECORD]


def test_new_pictures_in_a_finished_file(caption, photos, here):
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    lines = lines_of(here / "out.jsonl")
    lines[1]["caption"] = "mended by hand"
    (here / "out.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw(photos / "aa.png", 77)
    (photos / "c.png").unlink()
    code, _, err = caption("photos", "-o", "out.jsonl")
    assert code == 0
    assert "7 pictures: 1 captioned, 6 had a caption" in err
    after = lines_of(here / "out.jsonl")
    assert [line["image"] for line in after] == [
        "photos/a.png",
        "photos/aa.png",
        "photos/b.jpg",
        "photos/deep/d.png",
        "photos/deep/e.webp",
        "photos/f.png",
        "photos/c.png",  # it is not there any more, and what was said of it is not lost
    ]
    assert [line for line in after if line["image"] != "photos/aa.png"] == [
        *(lines[number] for number in (0, 1, 3, 4, 5, 2)),
    ]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_finished_file_again_changes_nothing(caption, photos, here, ending):
    (photos / "bad.png").write_bytes(b"")
    assert caption("photos", "-o", f"out.{ending}")[0] == 3
    before = (here / f"out.{ending}").stat()
    assert caption("photos", "-o", f"out.{ending}")[0] == 3
    after = (here / f"out.{ending}").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_size,
    )
    assert sorted(os.listdir(here)) == sorted(["photos", f"out.{ending}"])


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_captions_in_a_file_replaced_and_brought_back(caption, photos, here, ending):
    output = here / f"out.{ending}"
    assert caption("photos", "-o", output.name, "--prefix", "before:")[0] == 0
    before = output.read_bytes()
    assert caption("photos", "-o", output.name, "--existing", "overwrite", "--prefix", "after:")[0] == 0
    after = output.read_bytes()
    assert after != before
    assert (here / f"out.before-1.{ending}").read_bytes() == before
    assert caption("--undo", output.name)[0] == 0
    assert output.read_bytes() == before
    assert caption("photos", "-o", output.name, "--existing", "overwrite", "--prefix", "after:")[0] == 0
    assert output.read_bytes() == after


def test_failed_pictures_again(caption, photos, here):
    (photos / "bad.png").write_bytes(b"")
    for words in (("-o", "out.jsonl"), ("--to", "sidecar")):
        assert caption("photos", *words)[0] == 3
        draw(photos / "bad.png", 5)
        code, _, err = caption("photos", *words)
        assert code == 3  # it is what the earlier run said
        assert "'photos/bad.png' holds no bytes at all." in err
        code, _, err = caption("photos", *words, "--retry-failed")
        assert code == 0
        assert "7 pictures: 1 captioned, 6 had a caption" in err
        (photos / "bad.png").write_bytes(b"")
    assert [line["image"] for line in lines_of(here / "out.jsonl") if "error" in line] == []


def test_captions_that_are_not_sure_enough(caption, photos, here):
    assert caption("photos", "-o", "all.jsonl")[0] == 0
    every = {line["image"]: line for line in lines_of(here / "all.jsonl")}
    limit = sorted(line["confidence"] for line in every.values())[3]
    code, _, err = caption("photos", "-o", "out.jsonl", "--min-confidence", limit)
    assert code == 0
    assert "For review, because they are not sure enough: 3 in out.review.jsonl." in err
    written = lines_of(here / "out.jsonl")
    assert [line["image"] for line in written] == list(every)
    sure = [line for line in written if "caption" in line]
    assert sure == [line for line in every.values() if line["confidence"] >= limit]
    unsure = [line["image"] for line in written if line.get("error", {}).get("code") == "low_confidence"]
    listed = [every[name] | {"reason": "low_confidence"} for name in unsure]
    assert lines_of(here / "out.review.jsonl") == listed
    assert len(unsure) == 3
    assert caption("photos", "-o", "out.jsonl", "--min-confidence", limit)[0] == 0
    assert lines_of(here / "out.jsonl") == written
    assert len(lines_of(here / "out.review.jsonl")) == 3
    assert caption("photos", "--to", "sidecar", "--min-confidence", limit, "--review", "list.jsonl")[0] == 0
    assert len(texts(photos)) == 3
    assert lines_of(here / "list.jsonl") == listed


def test_the_journal_of_another_command(caption, photos, here, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at_batch(patch, 2)
        assert caption("photos", "-o", "out.jsonl")[0] == 130
    kept = (here / "out.jsonl.partial").read_bytes()
    code, _, err = caption("photos", "-o", "out.jsonl", "--beams", 3)
    assert code == 2
    assert err == (
        "leyenda: error: 'out.jsonl.partial' holds what another command had done: beams was 1 and is now 3. "
        "Type that command again to go on with it, or begin anew with --overwrite.\n"
    )
    assert (here / "out.jsonl.partial").read_bytes() == kept
    code, _, err = caption("photos", "-o", "out.jsonl", "--beams", 3, "--overwrite")
    assert code == 0
    assert not (here / "out.jsonl.partial").exists()


def test_a_picture_described_inside_and_back(caption, photos):
    from leyenda.metadata import Description, embed_description, read_description

    own = Description("my own words", language="en")
    (photos / "b.jpg").write_bytes(embed_description((photos / "b.jpg").read_bytes(), own))
    before = everything_in(photos)
    (photos / "drawing.bmp").write_bytes(b"")
    assert caption("photos", "--to", "metadata")[0] == 3
    assert read_description((photos / "b.jpg").read_bytes()).description == "my own words"
    new = read_description((photos / "a.png").read_bytes())
    assert new.description == new.alt_text == new.extended_description == caption("photos/a.png")[1].strip()
    assert new.ai_generated
    assert caption("photos", "--to", "metadata", "--existing", "append")[0] == 3
    joined = read_description((photos / "b.jpg").read_bytes()).description
    assert joined == "my own words " + caption("photos/b.jpg")[1].strip()
    assert caption("--undo", "photos")[0] == 0
    assert caption("--undo", "photos")[0] == 0
    (photos / "drawing.bmp").unlink()
    (photos / RECORD).unlink()
    assert everything_in(photos) == before


def test_described_copies(caption, photos, here):
    before = everything_in(photos)
    assert caption("photos", "--to", "metadata", "--output", "out")[0] == 0
    assert everything_in(photos) == before
    assert set(everything_in(here / "out")) == {*before, RECORD}
    assert caption("--undo", "out")[0] == 0
    assert set(everything_in(here / "out")) == {RECORD}
    code, _, err = caption("photos", "--to", "metadata", "--output", "photos/described")
    assert code == 2
    assert "would be found among the inputs as further pictures" in err


def test_undo_of_nothing(here, capsys):
    assert main(["caption", "--undo", str(here)]) == 2
    assert "There is no file" in capsys.readouterr().err
