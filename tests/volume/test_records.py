"""Records of what was replaced: read from anywhere, never cut short, and undone run by run."""

from __future__ import annotations

import json
import os
import shutil
import zlib

import pytest
from tests.volume.conftest import draw, lines_of, stop_at_batch
from tests.volume.kill_many import everything_in

RECORD = "leyenda-captions.jsonl"


def texts(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt"))}


@pytest.fixture
def replaced(caption, photos):
    """A folder whose texts a run replaced; what it held before."""
    (photos / "b.txt").write_text("my own words")
    before = everything_in(photos)
    assert caption("photos", "--to", "sidecar", "--existing", "overwrite")[0] == 0
    return before


@pytest.fixture
def stopped(caption, monkeypatch):
    """A function: run the command, and stop it before its second batch."""

    def run(*arguments):
        with monkeypatch.context() as patch:
            stop_at_batch(patch, 2)
            assert caption(*arguments)[0] == 130

    return run


def without_record(folder):
    return {name: data for name, data in everything_in(folder).items() if name != RECORD}


def test_undo_from_another_folder(caption, photos, here, replaced, monkeypatch):
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    code, _, err = caption("--undo", "../photos")
    assert (code, err) == (0, "Taken back: 6 of 6.\n")
    assert without_record(photos) == replaced


def test_undo_in_a_folder_that_was_moved(caption, photos, here, replaced):
    (here / "archive").mkdir()
    photos.rename(here / "archive" / "2024")
    assert caption("--undo", "archive/2024")[0] == 0
    assert without_record(here / "archive" / "2024") == replaced


def test_a_record_away_from_its_files_changes_nothing(caption, photos, here, replaced):
    after = without_record(photos)
    shutil.copytree(photos, here / "safe")
    shutil.rmtree(photos)
    (here / "other").mkdir()
    shutil.copy(here / "safe" / RECORD, here / "other")
    for _ in range(2):
        code, _, err = caption("--undo", "other")
        assert code == 2
        assert "None of the captions that 'other/leyenda-captions.jsonl' tells of is where it says" in err
    os.rename(here / "safe", photos)
    assert without_record(photos) == after
    shutil.copy(here / "other" / RECORD, photos)
    assert caption("--undo", "photos")[0] == 0
    assert without_record(photos) == replaced


def test_going_on_by_another_path_to_the_same_folder(caption, photos, here, stopped, monkeypatch):
    stopped("photos", "--to", "sidecar")
    record = (photos / RECORD).read_bytes()
    (photos / "a.txt").unlink()  # as if the computer had stopped between the record and the file
    monkeypatch.chdir(photos)
    assert caption(".", "--to", "sidecar")[0] == 0
    assert sorted(texts(photos)) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt"]
    assert (photos / RECORD).read_bytes().startswith(record)


def test_going_on_in_a_folder_that_was_moved(caption, photos, here, stopped):
    stopped("photos", "--to", "sidecar", "--existing", "overwrite")
    (photos / "a.txt").unlink()
    photos.rename(here / "2024")
    assert caption("2024", "--to", "sidecar", "--existing", "overwrite")[0] == 0
    assert len(texts(here / "2024")) == 6
    stopped("2024", "--to", "sidecar", "--output", "out")
    (here / "out").rename(here / "texts")
    assert caption("2024", "--to", "sidecar", "--output", "texts")[0] == 0
    assert len(texts(here / "texts")) == 6


def test_going_on_when_pictures_of_the_last_group_have_gone(caption, photos, here, stopped):
    (here / "names.txt").write_text("photos/deep/d.png\nphotos/deep/e.webp\nphotos/a.png\n")
    words = ("--list", "names.txt", "--to", "sidecar", "--record", "record.jsonl")
    stopped(*words)
    shutil.rmtree(photos / "deep")
    assert caption(*words)[0] == 0
    assert sorted(texts(photos)) == ["a.txt"]


def as_version_1(record, folder):
    """Write a record as it was written when names were relative to the working folder."""
    written, lines = [], []
    for line in lines_of(record):
        if "leyenda" in line:
            line["leyenda"] = 1
            if line["settings"]["output"]:
                line["settings"]["output"] = str(folder.resolve())
        if "file" in line:
            line["file"] = f"{folder.name}/{line['file']}"
        text = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        if "image" in line:
            lines.append(text)
        elif "group" in line:
            line["crc"] = zlib.crc32(b"".join(lines))
            text = (json.dumps(line) + "\n").encode()
            lines = []
        written.append(text)
    record.write_bytes(b"".join(written))


def test_records_of_earlier_versions(caption, photos, here, replaced, monkeypatch):
    as_version_1(photos / RECORD, photos)
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    code, _, err = caption("--undo", "../photos")
    assert code == 2
    assert "type the command where they were written" in err
    monkeypatch.chdir(here)
    assert caption("--undo", "photos")[0] == 0
    assert without_record(photos) == replaced


def test_a_stopped_run_of_an_earlier_version_goes_on(caption, photos, here, stopped):
    stopped("photos", "--to", "sidecar", "--output", "out")
    as_version_1(here / "out" / RECORD, here / "out")
    assert caption("photos", "--to", "sidecar", "--output", "out")[0] == 0
    assert len(texts(here / "out")) == 6
    assert caption("--undo", "out")[0] == 0
    assert texts(here / "out") == {}


@pytest.mark.parametrize(("line", "where"), [(2, "one of the lines 2 to 4"), (4, "one of the lines 2 to 4")])
def test_a_record_with_a_changed_line_is_left_alone(caption, photos, replaced, line, where):
    lines = (photos / RECORD).read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"5", b"6").replace(b"0", b"1")
    (photos / RECORD).write_bytes(b"".join(lines))
    before = everything_in(photos)
    for words in (("--undo", "photos"), ("photos", "--to", "sidecar", "--existing", "append")):
        code, _, err = caption(*words)
        assert code == 2
        assert f"'photos/{RECORD}' is damaged: {where} is not what leyenda wrote." in err
        assert everything_in(photos) == before


@pytest.mark.parametrize("line", [1, 3, 5])
def test_a_record_with_a_line_that_cannot_be_read(caption, photos, replaced, line):
    lines = (photos / RECORD).read_bytes().splitlines(keepends=True)
    lines[line - 1] = b"#" + lines[line - 1]
    (photos / RECORD).write_bytes(b"".join(lines))
    before = everything_in(photos)
    code, _, err = caption("--undo", "photos")
    assert code == 2
    assert f"is damaged: line {line} is not what leyenda wrote." in err
    assert everything_in(photos) == before


def test_the_torn_end_of_a_record_is_cut_off(caption, photos, stopped):
    stopped("photos", "--to", "sidecar")
    whole = (photos / RECORD).read_bytes()
    torn = b'{"image": "photos/c.png", "capt'
    for end in (torn, bytes(300), torn + bytes(300) + b'\n{"group": 2, "crc": 1}\n'):
        (photos / RECORD).write_bytes(whole + end)
        assert caption("photos", "--to", "sidecar")[0] == 0
        assert len(texts(photos)) == 6
        after = (photos / RECORD).read_bytes()
        assert after.startswith(whole)
        assert b'"capt{' not in after
        assert b"\0" not in after
        assert caption("--undo", "photos")[0] == 0
        assert texts(photos) == {}


@pytest.mark.parametrize("words", ["notes without a line's end", '{"image": "a.png"}', "notes\n"])
def test_a_person_s_file_is_never_taken_for_a_record(caption, photos, here, words):
    (here / "notes.jsonl").write_text(words)
    for further in ((), ("--overwrite",)):
        code, _, err = caption("photos", "--to", "sidecar", "--record", "notes.jsonl", *further)
        assert code == 2
        assert "'notes.jsonl' exists and is not the journal of a run." in err
        assert (here / "notes.jsonl").read_text() == words
    assert texts(photos) == {}


def test_what_cannot_be_taken_back_does_not_stand_before_earlier_runs(caption, photos, replaced):
    first = texts(photos)
    assert caption("photos", "--to", "sidecar", "--existing", "overwrite", "--prefix", "new:")[0] == 0
    (photos / "a.txt").write_text("mended by hand\n")
    code, _, err = caption("--undo", "photos")
    assert code == 3
    assert err == "'photos/a.txt' was changed since; it is left as it is.\nTaken back: 5 of 6.\n"
    assert texts(photos) == first | {"a.txt": "mended by hand\n"}
    code, _, err = caption("--undo", "photos")  # of the run before
    assert code == 3
    assert "Taken back: 5 of 6." in err
    assert texts(photos) == {"a.txt": "mended by hand\n", "b.txt": "my own words"}


def test_what_could_not_be_taken_back_may_be_later(caption, photos, replaced):
    first = texts(photos)
    assert caption("photos", "--to", "sidecar", "--existing", "overwrite", "--prefix", "new:")[0] == 0
    second = (photos / "a.txt").read_text()
    (photos / "a.txt").write_text("mended by hand\n")
    assert caption("--undo", "photos")[0] == 3
    (photos / "a.txt").write_text(second)
    assert caption("--undo", "photos")[0] == 0
    assert texts(photos) == first


def test_runs_that_wrote_nothing_are_passed_over(caption, photos, replaced):
    (photos / "bad.png").write_bytes(b"")
    assert caption("photos", "--to", "sidecar")[0] == 3
    draw(photos / "unsure.png", 9)
    assert caption("photos", "--to", "sidecar", "--min-confidence", "1", "--review", "list.jsonl")[0] == 3
    code, _, err = caption("--undo", "photos")
    assert (code, err) == (0, "Taken back: 6 of 6.\n")
    assert texts(photos) == {"b.txt": "my own words"}
    code, _, err = caption("--undo", "photos")
    assert code == 2
    assert "is undone already" in err


def test_files_that_are_gone_are_not_said_to_be_taken_back(caption, photos, replaced):
    (photos / "a.txt").unlink()
    (photos / "b.txt").unlink()  # this one was not made by the run: its text cannot be brought back
    code, _, err = caption("--undo", "photos")
    assert code == 3
    assert err == "'photos/b.txt' is not there.\nTaken back: 4 of 5; 1 more was taken away already.\n"
