"""What each value of a recipe changes in a run; that training learns and resumes is tested elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.cli import main
from leyenda.config import load_recipe
from leyenda.jobs.train import objective_of
from leyenda.training.fitting import arguments_of
from leyenda.training.run_folder import RunFolder

SHARES = ["--validation", "0.3", "--test", "0.2"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Pictures in no split, in a table that says little about itself."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "far" / "away").mkdir(parents=True)
    rows = ["snap;said;words\n"]
    for number in range(30):
        Image.new("RGB", (40, 40), (number * 8, 90, 255 - number * 8)).save(
            folder / "far" / "away" / f"{number}.png"
        )
        rows.append(f"{number}.png;un cuadro número {number};a square\n")
    (folder / "table.data").write_text("".join(rows), encoding="utf-8")
    return folder / "table.data"


def words(pairs: Path, run: Path, *more: str) -> list[str]:
    return [
        "train", str(pairs), "--output", str(run), "--from-scratch", "tiny", "--device", "cpu", *SHARES,
        "--format", "csv", "--image-column", "snap", "--caption-column", "said",
        "--image-root", str(pairs.parent / "far" / "away"), "--set", "training.gradient_accumulation_steps=1",
        "--set", "training.logging_steps=1", "--set", "training.eval_steps=2",
        "--set", "evaluation.max_length=4", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(pairs, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    more = ["--split-seed", "7", "--epochs", "2", "--batch-size", "5", "--learning-rate", "0.002"]
    more += ["--seed", "3", "--metric", "cider_d", "--language", "es"]
    assert main(words(pairs, run, *more)) == 0
    return run


def splits(run: Path) -> dict[str, int]:
    return json.loads((run / "data.json").read_text())["splits"]


def test_the_source_is_read_and_divided_as_the_options_say(run, pairs, tmp_path):
    from leyenda.data import assign_splits, load_examples

    options = {"format": "csv", "image_column": "snap", "caption_column": "said"}
    examples = load_examples(pairs, image_root=pairs.parent / "far" / "away", **options)
    divided = assign_splits(examples, validation=0.3, test=0.2, seed=7)
    assert splits(run) == divided.splits() != assign_splits(examples).splits()
    predictions = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    assert {row["image"]: row["references"] for row in predictions} == {
        example.id: list(example.captions) for example in divided.split("test")
    }


def test_steps_and_their_size(run):
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    steps = [row for row in history if "learning_rate" in row]
    per_epoch = -(-splits(run)["train"] // 5)
    assert [row["step"] for row in steps] == list(range(1, 2 * per_epoch + 1))
    assert steps[-1]["epoch"] == 2
    assert max(row["learning_rate"] for row in steps) == 0.002


def test_the_language_of_the_run(run):
    assert '<html lang="es"' in (run / "report.html").read_text(encoding="utf-8")
    assert (
        "Unicode NFC, lower case, words by the boundaries of Unicode"
        in json.loads((run / "metrics.json").read_text())["tuned"]["normalization"]["bleu_1"]
    )


def test_another_seed_is_another_run(run, pairs, tmp_path):
    more = ["--split-seed", "7", "--epochs", "2", "--batch-size", "5", "--learning-rate", "0.002"]
    more += ["--metric", "cider_d", "--language", "es", "--seed"]
    weights = {}
    for seed in ("3", "4"):
        other = tmp_path / seed
        assert main(words(pairs, other, *more, seed)) == 0
        weights[seed] = (other / "model" / "model.safetensors").read_bytes()
    assert weights["3"] == (run / "model" / "model.safetensors").read_bytes() != weights["4"]


@pytest.mark.parametrize(("metric", "lower"), [("wer", True), ("cider_d", False), ("loss", True)])
def test_the_metric_that_decides(metric, lower):
    objective = objective_of(load_recipe(values={"evaluation.metric": metric}))
    assert (objective.name, objective.lower_is_better) == (metric, lower)


def test_the_best_checkpoint_is_best_by_that_metric(run):
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    best = max(row["eval_cider_d"] for row in history if "eval_cider_d" in row)
    assert json.loads((run / "best.json").read_text())["best_score"] == best


def test_a_run_of_hub_names_asks_with_revision_and_token(
    pairs, tmp_path, monkeypatch, tiny_checkpoint, capsys
):
    """The hub itself is in the tests of sources, models and sharing; here, what each of them is asked for."""
    from leyenda import models
    from leyenda.data import load_examples

    asked: dict[str, list[dict[str, object]]] = {"data": [], "model": [], "push": []}
    real_load = models.load

    def data(source, **given):
        asked["data"].append({"source": source, **given})
        reading = {"format": "csv", "image_column": "snap", "caption_column": "said"}
        return load_examples(pairs, image_root=pairs.parent / "far" / "away", **reading)

    def load(name, *, revision=None, token=None, **given):
        asked["model"].append({"name": str(name), "revision": revision, "token": token})
        return real_load(tiny_checkpoint if name == "ana/model" else name, **given)

    def push(run, repository, **given):
        asked["push"].append({"repository": repository, **given})
        return "https://example.org"

    monkeypatch.setattr("leyenda.jobs.train.load_examples", data)
    monkeypatch.setattr("leyenda.models.load", load)
    monkeypatch.setattr("leyenda.jobs.train.push", push)
    typed = (
        "train ana/boats --revision v1 --streaming --model ana/model --model-revision v2 --token hf_secret"
    )
    typed += (
        f" --output {tmp_path / 'run'} --device cpu --push-to ana/new --private --epochs 1 --batch-size 30"
    )
    more = ["--set", "evaluation.max_length=3", *SHARES]
    assert main([*typed.split(), *more]) == 0, capsys.readouterr().err
    (source,) = asked["data"]
    assert (
        source.items()
        >= {"source": "ana/boats", "revision": "v1", "streaming": True, "token": "hf_secret"}.items()
    )
    loaded = [call for call in asked["model"] if call["name"] == "ana/model"]
    assert (
        loaded == [{"name": "ana/model", "revision": "v2", "token": "hf_secret"}] * 2
    )  # to tune, and to compare
    (sent,) = asked["push"]
    assert sent.items() >= {"repository": "ana/new", "private": True, "token": "hf_secret"}.items()
    for file in (tmp_path / "run").rglob("*"):
        assert not file.is_file() or b"hf_secret" not in file.read_bytes(), file


@pytest.mark.parametrize("exact", [True, False])
def test_exact_decoding_is_for_training_and_scores(pairs, tmp_path, monkeypatch, exact):
    from leyenda.models import CaptioningModel

    asked: list[bool] = []
    original = CaptioningModel.open

    def watched(self, source, **given):
        asked.append(given["exact_decode"])
        return original(self, source, **given)

    monkeypatch.setattr(CaptioningModel, "open", watched)
    more = ["--set", f"data.exact_decode={exact}", "--set", "training.max_steps=1"]
    assert main(words(pairs, tmp_path / "run", *more)) == 0
    assert len(asked) == 30
    assert set(asked) == {exact}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 5e-5),
        ({"model.from_scratch": "tiny"}, 5e-4),
        ({"model.from_scratch": "tiny", "training.learning_rate": 1e-3}, 1e-3),
    ],
)
def test_a_new_model_takes_larger_steps_unless_they_are_named(values, expected, tmp_path):
    model = models.create("tiny", ["a square"], device="cpu")
    recipe = load_recipe(values=values)
    arguments = arguments_of(recipe, model, objective_of(recipe), RunFolder(tmp_path))
    assert arguments.learning_rate == expected


def test_the_saved_recipe_repeats_the_run_whatever_the_defaults_and_the_folder(
    run, pairs, tmp_path, monkeypatch, capsys
):
    saved = load_recipe(run / "recipe.yaml")
    assert saved.data.source == str(pairs)
    decided = {
        "learning_rate": 0.002,
        "num_train_epochs": 2,
        "per_device_train_batch_size": 5,
        "gradient_accumulation_steps": 1,
        "seed": 3,
        "lr_scheduler_type": "linear",
        "weight_decay": 0.0,
        "save_total_limit": 3,
        "eval_steps": 2,
    }
    assert decided.items() <= saved.training.items()
    again = tmp_path / "again"
    assert main(["train", "--config", str(run / "recipe.yaml"), "--output", str(again)]) == 0
    assert (again / "recipe.yaml").read_bytes() == (run / "recipe.yaml").read_bytes()
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (run, again)]
    assert weights[0] == weights[1]
    # Other evaluations need one name, and the saving follows.
    other = load_recipe(run / "recipe.yaml", ["training.eval_steps=3"])
    arguments = arguments_of(
        other, models.create("tiny", ["a"], device="cpu"), objective_of(other), RunFolder(tmp_path)
    )
    assert arguments.save_steps == 3


def test_a_run_finds_its_pictures_from_any_folder(run, pairs, tmp_path, monkeypatch, capsys):
    """Named relative to the folder in which the command was typed."""
    monkeypatch.chdir(pairs.parent)
    short = ["--epochs", "1", "--image-root", "far/away"]
    assert main(words(Path(pairs.name), tmp_path / "run", *short)) == 0
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 0
    assert main(["train", "--output", "run", "--resume"]) == 0
    moved = load_recipe(tmp_path / "run" / "recipe.yaml", [f"data.source={tmp_path / 'gone.csv'}"])
    (tmp_path / "run" / "recipe.yaml").write_text(moved.to_yaml())
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 2
    assert "not there any more. Name where they are: leyenda evaluate MODEL SOURCE" in capsys.readouterr().err


def test_stopping_early_and_beginning_anew_are_said(pairs, tmp_path, capsys):
    more = ["--epochs", "30", "--batch-size", "30", "--patience", "2", "--learning-rate", "0", "--resume"]
    assert main(words(pairs, tmp_path / "run", *more)) == 0
    told = capsys.readouterr().err
    assert f"There is no run in {str(tmp_path / 'run')!r} to go on with: a new one starts." in told
    assert "Stopped at step 6 of 30: the last 2 evaluations brought no better wer" in told


def test_shares_are_not_said_to_be_asked_for_where_the_source_gives_the_splits(tmp_path, capsys):
    rows = ["image,caption,split\n"]
    for number, split in enumerate(["train"] * 4 + ["validation", "test"]):
        Image.new("RGB", (40, 40), (number * 8, 90, 200)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,a square,{split}\n")
    (tmp_path / "data.csv").write_text("".join(rows))
    assert main(["data", "split", str(tmp_path / "data.csv")]) == 0
    assert "asked for" not in capsys.readouterr().out
