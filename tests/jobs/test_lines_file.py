"""A file of JSON lines appears whole, or what was done stays beside it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest

from leyenda.errors import DiskError, LeyendaError
from leyenda.jobs.lines_file import LinesFile, json_line


def test_lines_are_on_disk_at_once_and_the_name_comes_at_the_end(tmp_path):
    path = tmp_path / "out.jsonl"
    with LinesFile(path) as file:
        file.write({"n": 1})
        assert file.partial.read_text() == '{"n": 1}\n'
        file.write({"n": 2, "text": "¿qué?\n"})
        assert [json.loads(line) for line in file.partial.read_bytes().splitlines()][1]["text"] == "¿qué?\n"
        assert not path.exists()
    assert file.whole
    assert path.read_text(encoding="utf-8") == '{"n": 1}\n{"n": 2, "text": "¿qué?\\n"}\n'
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_what_was_done_is_kept_when_it_is_stopped(tmp_path, error):
    path = tmp_path / "out.jsonl"
    path.write_text("old\n")
    with pytest.raises(error), LinesFile(path, overwrite=True) as file:
        file.write({"n": 1})
        raise error
    assert path.read_text() == "old\n"
    assert file.partial.read_text() == '{"n": 1}\n'
    assert not file.whole


def test_nothing_is_left_when_nothing_was_done(tmp_path):
    with pytest.raises(KeyboardInterrupt), LinesFile(tmp_path / "out.jsonl"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_what_is_there_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("a person's work")
    with pytest.raises(
        LeyendaError, match=r"exists already. Choose another name, or replace it with --overwrite"
    ):
        LinesFile(path)
    with LinesFile(path, overwrite=True) as file:
        file.write({})
    assert path.read_text() == "{}\n"


def test_lines_of_a_stopped_run_are_not_lost_in_silence(tmp_path):
    (tmp_path / "out.jsonl.partial").write_text('{"n": 1}\n')
    with pytest.raises(LeyendaError, match=r"partial' holds what a run that was stopped had done"):
        LinesFile(tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl.partial").read_text() == '{"n": 1}\n'


def test_places_where_no_file_can_be(tmp_path):
    with pytest.raises(LeyendaError, match="is a folder"):
        LinesFile(tmp_path)
    with pytest.raises(
        DiskError, match=r"There is no folder .*no where'. Make it with: mkdir -p '.*no where'"
    ):
        LinesFile(tmp_path / "no where" / "out.jsonl")
    with pytest.raises(LeyendaError, match=r"is JSON lines, not .csv. Name it NAME.jsonl"):
        LinesFile(tmp_path / "out.csv")


def test_a_full_disk_is_one_line(tmp_path):
    file = LinesFile(tmp_path / "out.jsonl")
    file.partial.symlink_to("/dev/full")
    with pytest.raises(DiskError, match="The disk is full"), file:
        file.write({"n": 1})
    assert not (tmp_path / "out.jsonl").exists()


def test_a_disk_that_fills_in_the_middle_of_a_line_keeps_the_lines_before(tmp_path):
    with pytest.raises(DiskError, match="The disk is full"), LinesFile(tmp_path / "out.jsonl") as file:
        file.write({"n": 1})
        file._file = DiskWithRoomForFiveBytes(file._file)
        file.write({"n": 2})
    assert file.partial.read_text() == '{"n": 1}\n'


class DiskWithRoomForFiveBytes:
    def __init__(self, file):
        self.file = file
        self.room = 5

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.file.write(data[: self.room])
        self.room -= written
        return written

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_name_that_is_no_utf8_is_valid_json_and_comes_back():
    odd = os.fsdecode(b"a\xe9\xff.jpg")
    line = json_line({"image": odd, "caption": "ñ"})
    line.encode("utf-8")
    assert json.loads(line) == {"image": odd, "caption": "ñ"}
    assert "ñ" in line


def test_a_killed_process_leaves_whole_lines(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from leyenda.jobs.lines_file import LinesFile\n"
        "with LinesFile(sys.argv[1]) as file:\n"
        "    for n in range(50): file.write({'n': n})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "out.jsonl")], check=False)
    lines = (tmp_path / "out.jsonl.partial").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == list(range(50))
