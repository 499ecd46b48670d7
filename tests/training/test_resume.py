"""A run that is killed at any moment and resumed ends bit-equal to the run left alone."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.coloured_shapes import write_coloured_shapes

KILLS = 10

DRIVER = """
import json, os, sys, time
import torch
torch.set_num_threads(1)
import transformers, accelerate
from transformers import Trainer, GitForCausalLM
import leyenda.jobs.train, leyenda.reports, jiwer, rouge_score.rouge_scorer, matplotlib.pyplot
from leyenda.cli import main
print("ready", flush=True)
for line in sys.stdin:
    words, kill_after, kill_when, number = json.loads(line)
    # Each run is a process of its own, forked here so that it need not load torch again.
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
        os._exit(main(words))
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended:
        time.sleep(0.005)
        late = kill_after is not None and time.monotonic() - started > kill_after
        if late or (kill_when and os.path.exists(kill_when)):
            os.kill(child, number)
            kill_after = kill_when = None
        ended, status = os.waitpid(child, os.WNOHANG)
    print(os.waitstatus_to_exitcode(status), time.monotonic() - started, flush=True)
"""


class Runs:
    """Starts `leyenda` command lines as processes that can be killed."""

    def __init__(self, log: Path) -> None:
        self.log = log
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        self.driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.driver.stdout.readline() == "ready\n"

    def run(self, *words, kill_after=None, kill_when=None, number=signal.SIGKILL):
        """The exit code, and how long it took in seconds; killed after a time, or once a path exists."""
        order = [words, kill_after, str(kill_when) if kill_when else None, int(number)]
        self.driver.stdin.write(json.dumps(order) + "\n")
        self.driver.stdin.flush()
        code, seconds = self.driver.stdout.readline().split()
        return int(code), float(seconds)

    def close(self):
        self.driver.stdin.close()
        self.driver.wait(timeout=30)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = Runs(tmp_path_factory.mktemp("log") / "stderr.txt")
    yield runs
    runs.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """40 pictures of a coloured shape, two captions each."""
    folder = tmp_path_factory.mktemp("shapes")
    write_coloured_shapes(folder, 40, "one {shape} painted {colour}")
    return folder


def command(pictures, run, *more):
    return [
        "train", str(pictures), "--from-scratch", "tiny", "--output", str(run), "--epochs", "6",
        "--batch-size", "4", "--learning-rate", "1e-3", "--resume", "--device", "cpu", "--precision", "fp32",
        "--set", "training.eval_steps=5", "--set", "training.logging_steps=5", "--set", "training.disable_tqdm=true",
        "--set", "data.validation=0.2", "--set", "evaluation.samples=1", "--set", "training.save_total_limit=2",
        "--set", "evaluation.patience=50", *more,
    ]  # fmt: skip


def everything_that_counts(run):
    """What must be the same: weights, best score, history, metrics, predictions."""
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    timing = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss")
    return {
        "weights": (run / "model" / "model.safetensors").read_bytes(),
        "tokenizer": (run / "model" / "tokenizer.json").read_bytes(),
        "best": json.loads((run / "best.json").read_text()),
        "history": [{name: row[name] for name in row if name not in timing} for row in history],
        "metrics": _without_model(json.loads((run / "metrics.json").read_text())),
        "predictions": (run / "predictions.jsonl").read_text(),
    }


def _without_model(metrics):
    return {
        name: {key: value for key, value in part.items() if key != "model"} for name, part in metrics.items()
    }


@pytest.fixture(scope="module")
def undisturbed(runs, pictures, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    code, seconds = runs.run(*command(pictures, run))
    assert code == 0, runs.log.read_text()[-3000:]
    return everything_that_counts(run), seconds


def test_two_undisturbed_runs_are_bit_equal(runs, pictures, undisturbed, tmp_path):
    code, _ = runs.run(*command(pictures, tmp_path / "again"))
    assert code == 0
    assert everything_that_counts(tmp_path / "again") == undisturbed[0]


def test_killed_at_random_moments_and_resumed(runs, pictures, undisturbed, tmp_path):
    expected, seconds = undisturbed
    seed = int(os.environ.get("LEYENDA_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"LEYENDA_TEST_SEED={seed}")
    chance = random.Random(seed)
    reached = []
    for number in range(KILLS):
        run = tmp_path / f"killed-{number}"
        moment = chance.uniform(0, seconds)
        code, _ = runs.run(*command(pictures, run), kill_after=moment)
        assert code in (-signal.SIGKILL, 0)
        checkpoints = sorted(path.name for path in (run / "checkpoints").glob("checkpoint-*"))
        reached.append((round(moment, 2), checkpoints))
        code, _ = runs.run(*command(pictures, run))
        assert code == 0, (seed, reached, runs.log.read_text()[-3000:])
        found = everything_that_counts(run)
        for part, value in expected.items():
            assert found[part] == value, (seed, reached[-1], part)
        assert not list(run.rglob(".unfinished*")), "leftovers of the killed process"
    print(reached)


def test_ctrl_c_saves_and_the_rest_is_bit_equal(runs, pictures, undisturbed, tmp_path):
    expected, _ = undisturbed
    run = tmp_path / "interrupted"
    in_the_middle = run / "checkpoints" / "checkpoint-10"
    code, _ = runs.run(*command(pictures, run), kill_when=in_the_middle, number=signal.SIGINT)
    assert code == 130
    code, _ = runs.run(*command(pictures, run))
    assert code == 0
    found = everything_that_counts(run)
    assert found["weights"] == expected["weights"]
    assert found["best"] == expected["best"]


def test_the_run_goes_on_by_its_folder_alone(runs, pictures, undisturbed, tmp_path):
    run = tmp_path / "short"
    runs.run(*command(pictures, run), kill_when=run / "checkpoints" / "checkpoint-5")
    code, _ = runs.run("train", "--output", str(run), "--resume")
    assert code == 0
    assert everything_that_counts(run)["weights"] == undisturbed[0]["weights"]


def test_with_averaged_weights_a_killed_run_ends_bit_equal_too(runs, pictures, undisturbed, tmp_path):
    averaged = ("--set", "model.average=0.9")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert runs.run(*command(pictures, whole, *averaged))[0] == 0
    runs.run(*command(pictures, killed, *averaged), kill_when=killed / "checkpoints" / "checkpoint-15")
    assert runs.run(*command(pictures, killed, *averaged))[0] == 0
    expected = everything_that_counts(whole)
    assert everything_that_counts(killed) == expected
    assert expected["weights"] != undisturbed[0]["weights"]
    published, trained = whole / "model", "trained_weights.safetensors"
    assert not (published / trained).exists()
    assert all((folder / trained).is_file() for folder in (whole / "checkpoints").glob("checkpoint-*"))
    # A plain run's weights are what its loss was computed with; averaged ones caption at the evaluations.
    assert [row for row in expected["history"] if "loss" in row] == [
        row for row in undisturbed[0]["history"] if "loss" in row
    ]


@pytest.mark.parametrize("checkpoint", ["checkpoint-5", "checkpoint-15"])
def test_in_reward_training_a_killed_run_ends_bit_equal_too(
    checkpoint, runs, pictures, undisturbed, tmp_path
):
    """Before its rewards begin, with step 9, and behind."""
    rewarded = ("--reward", "wer,cider_d=0.3", "--set", "reward.from_epoch=2", "--set", "reward.captions=3")
    rewarded += ("--set", "evaluation.max_length=8", "--set", "data.augment=true")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert runs.run(*command(pictures, whole, *rewarded))[0] == 0, runs.log.read_text()[-3000:]
    runs.run(*command(pictures, killed, *rewarded), kill_when=killed / "checkpoints" / checkpoint)
    assert runs.run(*command(pictures, killed, *rewarded))[0] == 0
    expected = everything_that_counts(whole)
    assert everything_that_counts(killed) == expected
    steps = [row["step"] for row in expected["history"] if "reward" in row]
    assert steps[0] == 10, "steps 9 and 10 are the first ones of the third epoch"
    assert expected["weights"] != undisturbed[0]["weights"]


def test_another_reward_is_refused(runs, pictures, tmp_path):
    run = tmp_path / "run"
    short = [*command(pictures, run, "--reward", "wer"), "--set", "training.max_steps=2"]
    assert runs.run(*short)[0] == 0, runs.log.read_text()[-3000:]
    before = len(runs.log.read_text())
    assert runs.run(*short, "--reward", "cider_d", "--set", "reward.captions=7")[0] == 2
    said = runs.log.read_text()[before:]
    assert "reward.captions was 5 and is now 7" in said
    assert "reward.scores.cider_d was None and is now 1.0" in said
    assert runs.run("train", "--output", str(run), "--resume")[0] == 0


def test_another_recipe_or_other_data_is_refused(runs, pictures, tmp_path):
    run = tmp_path / "run"
    short = [*command(pictures, run), "--set", "training.max_steps=2"]
    assert runs.run(*short)[0] == 0
    before = len(runs.log.read_text())
    assert runs.run(*short, "--learning-rate", "0.5")[0] == 2
    assert "training.learning_rate was 0.001 and is now 0.5" in runs.log.read_text()[before:]
    assert runs.run(*[word for word in short if word != "--resume"])[0] == 2
    assert "already holds a training run" in runs.log.read_text()[before:]
    (pictures / "metadata.jsonl").open("a").write('{"file_name": "00.png", "captions": ["one more"]}\n')
    assert runs.run(*short)[0] == 2
    assert "has changed since it was started" in runs.log.read_text()[before:]
