"""`leyenda train --engine ray` on a cluster of this machine: the same run, also when a worker dies."""

import json
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest
import torch
from PIL import Image

from leyenda.cli import main
from leyenda.jobs.ray_cluster import connected

WITHIN = 1e-4


@pytest.fixture(scope="module")
def cluster(ray_folder):
    """A local cluster; nothing of it is left afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(ray_folder))
        with connected(None, 2) as ray:
            yield ray
        assert not ray.is_initialized()
    torch.set_num_threads(before)
    deadline = time.monotonic() + 20
    while left := [
        one
        for one in psutil.process_iter(["cmdline"])
        if str(ray_folder) in " ".join(one.info["cmdline"] or [])
    ]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    names = ["red", "green", "blue", "yellow", "black"]
    rows = []
    for number in range(31):
        colour = names[number % 5]
        Image.new("RGB", (40, 40), colour).save(folder / f"{number:02}.png")
        rows.append(
            {"file_name": f"{number:02}.png", "captions": [f"it is {colour}", f"a picture all in {colour}"]}
        )
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_local_cluster_listens_on_the_loopback_address_only(ray_folder):
    # In a process of its own: Ray decides that when it is imported, and here others may have done so.
    code = (
        "from leyenda.jobs.ray_cluster import connected\n"
        "with connected(None, 1) as ray: print(ray.get_runtime_context().gcs_address)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "RAY_TMPDIR": str(ray_folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert said.stdout.startswith("127.0.0.1:"), said


def train_words(pictures, run, batch, *more):
    return [
        "train", str(pictures), "--output", str(run), "--from-scratch", "tiny", "--set", "model.dropout=0",
        "--epochs", "4", "--batch-size", str(batch), "--learning-rate", "1e-3", "--device", "cpu",
        "--precision", "fp32", "--set", "training.eval_steps=2", "--set", "training.logging_steps=1",
        "--set", "data.validation=0.2", "--set", "data.test=0.2", "--set", "training.report_to=[]",
        "--set", "evaluation.max_length=8", *more,
    ]  # fmt: skip


def losses(run):
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return {
        (row["step"], name): value
        for row in rows
        for name, value in row.items()
        if name == "loss" or name.startswith("eval_")
    }


def kill_a_worker_once(path):
    """When the path exists, end one of the training processes as the kernel would."""
    deadline = time.monotonic() + 300
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    workers = [
        one
        for one in psutil.process_iter(["cmdline"])
        if "RayTrainWorker" in " ".join(one.info["cmdline"] or [])
    ]
    workers[0].kill()


def test_it_gives_what_one_process_gives_even_when_a_worker_is_killed(cluster, pictures, tmp_path, capsys):
    assert main(train_words(pictures, tmp_path / "plain", 8)) == 0
    capsys.readouterr()
    run = tmp_path / "ray"
    killer = threading.Thread(target=kill_a_worker_once, args=[run / "checkpoints" / "checkpoint-2"])
    killer.start()
    code = main(train_words(pictures, run, 4, "--engine", "ray", "--workers", "2"))
    killer.join()
    told = capsys.readouterr()
    assert code == 0, told.err[-3000:]
    assert "Going on at step" in told.err
    assert "shared by 2 processes" in told.err
    assert told.out.count("model\t") == 1
    one, two = losses(tmp_path / "plain"), losses(run)
    assert one.keys() == two.keys()
    assert two == pytest.approx(one, rel=0, abs=WITHIN)
    predictions = [
        (folder / "predictions.jsonl").read_text().splitlines() for folder in (tmp_path / "plain", run)
    ]
    told_by = [[(row["image"], row["caption"]) for row in map(json.loads, lines)] for lines in predictions]
    assert told_by[0] == told_by[1]


def test_a_mistake_is_one_line(cluster, tmp_path, capsys):
    words = train_words(tmp_path / "nowhere", tmp_path / "run", 4, "--engine", "ray", "--workers", "2")
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.splitlines()[-1].startswith("leyenda: error: ")
    assert str(tmp_path / "nowhere") in told
    assert "Traceback" not in told


def test_more_workers_than_the_cluster_has_room_for(cluster, pictures, tmp_path, capsys):
    assert main(train_words(pictures, tmp_path / "run", 4, "--engine", "ray", "--workers", "999")) == 2
    assert "CPUs for 999 workers. Use fewer --workers." in capsys.readouterr().err


def test_without_ray_it_says_what_to_install_before_anything_is_loaded(tmp_path):
    code = f"""
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "ray" else find(name, *more)
from leyenda.cli import main
code = main(["train", "pictures", "--output", {str(tmp_path / "run")!r}, "--engine", "ray"])
assert not {{"torch", "transformers", "pydantic", "ray"}} & sys.modules.keys()
sys.exit(code)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 2, finished.stderr
    expected = '--engine ray needs an optional part of leyenda. Install it with: pip install "leyenda[ray]"'
    assert finished.stderr == f"leyenda: error: {expected}\n"


def test_a_cluster_that_is_not_there_is_said_at_once(tmp_path, capsys):
    words = [
        "train",
        "pictures",
        "--output",
        str(tmp_path / "run"),
        "--engine",
        "ray",
        "--address",
        "127.0.0.1:9",
    ]
    assert main(words) == 2
    assert "No Ray cluster answers at 127.0.0.1:9" in capsys.readouterr().err


def test_options_of_ray_need_ray(tmp_path, capsys):
    assert main(["train", "pictures", "--output", str(tmp_path / "run"), "--workers", "2"]) == 2
    assert "--workers and --address need --engine ray" in capsys.readouterr().err
