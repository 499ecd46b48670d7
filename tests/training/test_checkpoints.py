"""Folders appear whole or not at all; old checkpoints go, the best and the newest stay."""

import errno
import json
import subprocess

import pytest

from leyenda.errors import DiskError
from leyenda.training.checkpoints import rotate, tidy, whole_checkpoints, written_whole


def make(folder, step):
    place = folder / f"checkpoint-{step}"
    place.mkdir(parents=True)
    (place / "trainer_state.json").write_text("{}")
    return place


def test_nothing_is_visible_before_everything_is_written(tmp_path):
    place = tmp_path / "model"
    with written_whole(place) as draft:
        (draft / "a").write_text("1")
        assert not place.exists()
    assert (place / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_older_folder_stays_when_writing_fails(tmp_path):
    place = tmp_path / "model"
    with written_whole(place) as draft:
        (draft / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(place) as draft:
        (draft / "a").write_text("new")
        raise ZeroDivisionError
    assert (place / "a").read_text() == "old"
    with written_whole(place) as draft:
        (draft / "b").write_text("new")
    assert [path.name for path in place.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc] PytorchStreamWriter failed writing file data/0"),
        ValueError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_said_plainly(tmp_path, error):
    with pytest.raises(DiskError) as caught, written_whole(tmp_path / "checkpoint-5"):
        raise error
    assert "disk is full" in str(caught.value)
    assert "--resume" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        with written_whole(disk / "checkpoint-1") as draft:
            (draft / "trainer_state.json").write_text("{}")
        with pytest.raises(DiskError, match="disk is full"), written_whole(disk / "checkpoint-2") as draft:
            (draft / "weights").write_bytes(b"x" * (2 << 20))
        assert [step for step, _ in whole_checkpoints(disk)] == [1]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_rotation_keeps_the_newest_and_the_best(tmp_path):
    for step in (5, 10, 15, 20, 100):
        make(tmp_path, step)
    rotate(tmp_path, keep=3, best_step=5)
    assert [step for step, _ in whole_checkpoints(tmp_path)] == [5, 20, 100]
    rotate(tmp_path, keep=1, best_step=5)
    assert [step for step, _ in whole_checkpoints(tmp_path)] == [5, 100], (
        "both are needed to resume and to end"
    )
    rotate(tmp_path, keep=None, best_step=None)
    assert len(whole_checkpoints(tmp_path)) == 2


def test_only_complete_checkpoints_count_and_leftovers_go(tmp_path):
    make(tmp_path, 5)
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / ".unfinished-checkpoint-10").mkdir()
    (tmp_path / "checkpoint-x").mkdir()
    assert [step for step, _ in whole_checkpoints(tmp_path)] == [5]
    tidy(tmp_path)
    assert not (tmp_path / ".unfinished-checkpoint-10").exists()


def test_history_is_cut_to_the_checkpoint(tmp_path):
    from leyenda.training import history

    path = tmp_path / "history.jsonl"
    for step in (5, 10, 15):
        history.append(path, {"step": step, "loss": float("nan") if step == 10 else 1.0})
    with path.open("a") as file:
        file.write('{"step": 20, "lo')
    assert [row["step"] for row in history.read(path)] == [5, 10, 15]
    history.cut_after(path, 10)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["step"] for row in rows] == [5, 10]
    assert rows[1]["loss"] is None
