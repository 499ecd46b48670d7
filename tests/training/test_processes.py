"""Several processes give what one gives: the same curve, every picture once, one voice, one writer."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from tests.fakes.coloured_shapes import write_coloured_shapes
from tests.fakes.launcher import Launcher

WITHIN = 1e-4
PICTURES = 43  # with shares of 9 and 8: nothing is divisible by two


SLOWLY = """
import time
from leyenda.training.trainer import CaptionTrainer
step = CaptionTrainer.training_step
def slow(self, *arguments, **named):
    time.sleep(0.3)
    return step(self, *arguments, **named)
CaptionTrainer.training_step = slow
"""
"""Leaves time to be stopped in the middle."""


@pytest.fixture(scope="module")
def launcher(tmp_path_factory):
    launcher = Launcher(tmp_path_factory.mktemp("log"))
    yield launcher
    launcher.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of a coloured shape, two captions of different length each; one file is no picture."""
    folder = tmp_path_factory.mktemp("shapes")
    write_coloured_shapes(folder, PICTURES, "one {shape} painted in {colour}")
    (folder / "03.png").write_bytes(b"no picture")
    return folder


def train_words(pictures, run, processes, *more):
    """A step is on 18 of the 19 pictures: in the last one of an epoch, one process has nothing to do."""
    return [
        "train", str(pictures), "--output", str(run), "--from-scratch", "tiny", "--set", "model.dropout=0",
        "--epochs", "3", "--batch-size", "3", "--learning-rate", "1e-3", "--device", "cpu",
        "--precision", "fp32", "--set", f"training.gradient_accumulation_steps={6 // processes}",
        "--set", "training.eval_steps=4", "--set", "training.logging_steps=1",
        "--set", "data.validation=0.2", "--set", "data.test=0.2", "--set", "evaluation.samples=1",
        "--set", "evaluation.max_length=8",
        "--set", "training.report_to=[]", *more,
    ]  # fmt: skip


def tuning_words(pictures, run, processes, model, *more):
    """As `train_words`, from a model that is there."""
    words = train_words(pictures, run, processes, "--model", str(model), *more)
    return [word for word in words if word not in ("--from-scratch", "tiny")] + [
        "--set",
        "evaluation.base=false",
    ]


def curve(run):
    """`(step, name, value)` of every loss and score."""
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [
        (row["step"], name, value)
        for row in rows
        for name, value in row.items()
        if name in ("loss", "grad_norm") or name.startswith("eval_")
    ]


def check_same(run, other):
    """The runs' curves, weights and predictions are the same but for rounding."""
    one, two = curve(run), curve(other)
    assert [row[:2] for row in one] == [row[:2] for row in two]
    assert len([row for row in one if row[1] == "loss"]) >= 6
    for (step, name, value), (_, _, expected) in zip(one, two, strict=True):
        assert value == pytest.approx(expected, rel=0, abs=WITHIN), (step, name)
    weights, expected = (load_file(folder / "model" / "model.safetensors") for folder in (run, other))
    assert weights.keys() == expected.keys()
    assert all(torch.allclose(weights[name], expected[name], rtol=0, atol=1e-3) for name in weights)
    assert captions(run) == captions(other)


def captions(run):
    rows = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    return [(row["image"], row["caption"]) for row in rows]


@pytest.fixture(scope="module")
def alone(launcher, pictures, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "alone"
    assert launcher.run(*train_words(pictures, run, 1), count=1) == [3], launcher.said(0)
    return run


@pytest.fixture(scope="module")
def together(launcher, pictures, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "together"
    assert launcher.run(*train_words(pictures, run, 2)) == [0, 0], launcher.said(0) + launcher.said(1)
    return run


def test_torchrun_gives_what_one_process_gives(alone, pictures, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "leyenda", *train_words(pictures, tmp_path / "run", 2)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    check_same(tmp_path / "run", alone)
    assert finished.stdout.count("model\t") == 1
    assert finished.stderr.count("Left out 1 pictures") == 1
    assert "batch 18 pictures, shared by 2 processes, 3 at a time" in finished.stderr


def test_every_picture_is_scored_once_and_one_process_writes_and_speaks(launcher, alone, together):
    check_same(together, alone)
    names = [name for name, _ in captions(together)]
    assert (
        len(names)
        == len(set(names))
        == json.loads((together / "metrics.json").read_text())["tuned"]["images"]
    )
    assert json.loads((together / "data.json").read_text())["splits"]["validation"] % 2
    assert (launcher.said(1, "out"), launcher.said(1)) == ("", "")
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}
    model = {path.name for path in (together / "model").iterdir()}
    assert model == {path.name for path in (alone / "model").iterdir()}


def test_killed_and_resumed_in_two_processes_it_ends_bit_equal(launcher, pictures, together, tmp_path):
    run = tmp_path / "run"
    words = train_words(pictures, run, 2, "--resume")
    codes = launcher.run(*words, before=SLOWLY, kill_when=run / "checkpoints" / "checkpoint-4")
    assert codes == [-9, -9]
    assert launcher.run("train", "--output", run, "--resume") == [0, 0], launcher.said(0)
    assert "Going on at step" in launcher.said(0)
    assert curve(run) == curve(together)
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (run, together)]
    assert weights[0] == weights[1]


def test_after_ctrl_c_another_number_of_processes_goes_on_with_the_same_steps(
    launcher, pictures, alone, tmp_path
):
    run = tmp_path / "run"
    in_the_middle = {"kill_when": run / "checkpoints" / "checkpoint-4", "number": signal.SIGINT}
    assert launcher.run(*train_words(pictures, run, 2), before=SLOWLY, **in_the_middle)[0] == 130
    assert launcher.said(0).count("leyenda: stopped.") == 1
    assert launcher.said(1).strip() == ""
    assert launcher.run("train", "--output", run, "--resume", count=1) == [3], launcher.said(0)
    assert "batch 18 pictures, 3 at a time" in launcher.said(0)
    check_same(run, alone)


def test_memory_that_runs_out_in_one_process_shrinks_the_pieces_of_all(launcher, pictures, alone, tmp_path):
    scarce = """
import torch
from leyenda.models.git_training import GitForCausalLM
forward = GitForCausalLM.forward
def scarce(self, *arguments, **named):
    if rank == 1 and self.training and len(named["pixel_values"]) > 2:
        raise torch.OutOfMemoryError("CUDA out of memory.")
    return forward(self, *arguments, **named)
GitForCausalLM.forward = scarce
"""
    run = tmp_path / "run"
    assert launcher.run(*train_words(pictures, run, 2), before=scarce) == [0, 0], launcher.said(0)
    assert launcher.said(0).count("Memory ran out at step 1") == 1
    assert "with 2 pictures at a time" in launcher.said(0)
    check_same(run, alone)


def test_a_frozen_encoder_is_computed_once_for_all(launcher, pictures, alone, tmp_path):
    runs = []
    for count in (1, 2):
        run = tmp_path / str(count)
        words = tuning_words(pictures, run, count, alone, "--freeze", "image_encoder")
        cache = tmp_path / f"cache-{count}"
        launcher.run(*words, count=count, LEYENDA_CACHE=str(cache))
        runs.append(run)
        assert len(list(cache.rglob("*.features"))) == 1
        assert launcher.said(0).count(" pictures = ") == 1
    check_same(runs[1], runs[0])


def test_a_sharded_model_gives_the_same_and_is_saved_whole(launcher, pictures, alone, tmp_path):
    run = tmp_path / "run"
    words = train_words(pictures, run, 2)
    # As `accelerate launch --use_fsdp` asks for it.
    sharded = {"ACCELERATE_USE_FSDP": "true", "FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}
    codes = launcher.run(*words, before=SLOWLY, kill_when=run / "checkpoints" / "checkpoint-4", **sharded)
    assert codes == [-9, -9], launcher.said(0)
    assert launcher.run(*words, "--resume", **sharded) == [0, 0], launcher.said(0)
    assert "Going on at step" in launcher.said(0)
    assert "that shard the model" in launcher.said(0)
    check_same(run, alone)
    assert {path.name for path in (run / "model").iterdir()} == {
        path.name for path in (alone / "model").iterdir()
    }
    config, expected = (json.loads((folder / "model" / "config.json").read_text()) for folder in (run, alone))
    assert config | {"use_cache": None} == expected | {"use_cache": None}


def test_fsdp_needs_several_processes(launcher, pictures, tmp_path):
    words = train_words(pictures, tmp_path / "run", 2, "--set", "training.fsdp=true")
    assert launcher.run(*words, count=1) == [2]
    assert "training.fsdp divides a model among processes, and there is only one." in launcher.said(0)


def test_reward_training_gives_what_one_process_gives(launcher, pictures, alone, tmp_path):
    """Each process draws captions for its own pictures; in the last step of an epoch, one has none."""
    runs = []
    for count in (1, 2):
        run = tmp_path / str(count)
        reward = ["--reward", "wer,cider_d=0.3", "--set", "reward.captions=3"]
        words = tuning_words(pictures, run, count, alone, *reward)
        codes = launcher.run(*words, count=count)
        assert codes in ([3], [0, 0]), launcher.said(0)
        assert launcher.said(0).count("Reward training from step 1 on") == 1
        runs.append(run)
    check_same(runs[1], runs[0])
    rewards = [
        [row["reward"] for row in map(json.loads, (run / "history.jsonl").open()) if "reward" in row]
        for run in runs
    ]
    assert len(rewards[0]) >= 6
    assert rewards[1] == pytest.approx(rewards[0], abs=WITHIN)


def test_fsdp_does_not_go_with_rewards(launcher, pictures, tmp_path):
    both = ("--set", "training.fsdp=true", "--reward", "wer")
    assert launcher.run(*train_words(pictures, tmp_path / "run", 2, *both)) == [2, -15]
    assert "FSDP does not go with reward training (--reward). Leave one of them out." in launcher.said(0)
    assert not list((tmp_path / "run").rglob("checkpoint-*"))


def test_fsdp_does_not_go_with_averaged_weights(launcher, pictures, tmp_path):
    both = ("--set", "training.fsdp=true", "--set", "model.average=0.9")
    assert launcher.run(*train_words(pictures, tmp_path / "run", 2, *both)) == [2, -15]
    assert "FSDP does not go with model.average. Leave one of them out." in launcher.said(0)


@pytest.mark.parametrize("mistake", ["data", "option", "device"])
def test_a_mistake_is_said_once(launcher, pictures, tmp_path, mistake):
    words = train_words(pictures, tmp_path / "run", 2)
    if mistake == "data":
        words[1] = str(tmp_path / "nowhere")
    elif mistake == "option":
        words.append("--no-such-option")
    else:
        words[words.index("cpu")] = "cpu:0"
    assert launcher.run(*words) == [2, -15]
    assert launcher.said(0).count("leyenda: error: ") == 1
    assert launcher.said(1) == ""
    assert not (tmp_path / "run").exists()


def test_what_only_one_process_finds_out_is_said_by_the_main_one(launcher, pictures, tmp_path):
    broken = """
from leyenda.errors import DiskError
from leyenda.training.pairs import Pairs
read = Pairs.__getitems__
def torn(self, keys):
    if rank == 1:
        raise DiskError("The disk of machine 1 is gone.", "Mend it.")
    return read(self, keys)
Pairs.__getitems__ = torn
"""
    codes = launcher.run(*train_words(pictures, tmp_path / "run", 2), before=broken)
    assert codes == [2, -15]
    assert launcher.said(0).endswith("leyenda: error: The disk of machine 1 is gone. Mend it.\n")
    assert "error" not in launcher.said(1)
