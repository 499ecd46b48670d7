"""`leyenda train` and `leyenda evaluate` as a user meets them, on pictures small enough to learn in seconds."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from tests.fakes.hub import FakeHub

from leyenda.cli import main
from leyenda.data import load_examples

COLOURS = ("red", "green", "blue", "yellow")


def draw(folder, count=48, seed=5):
    """Pictures of a coloured shape, two captions each, split by the source."""
    chance = random.Random(seed)
    for split, share in (("train", count), ("validation", count // 4), ("test", count // 4)):
        (folder / split).mkdir(parents=True)
        rows = []
        for number in range(share):
            colour, shape = chance.choice(COLOURS), chance.choice(["ellipse", "rectangle"])
            picture = Image.new("RGB", (48, 48), "white")
            getattr(ImageDraw.Draw(picture), shape)((8, 8, 40, 40), fill=colour)
            name = f"{split}-{number:02}.png"
            picture.save(folder / split / name)
            captions = [f"a {colour} {shape}", f"one {shape} painted {colour}"]
            rows.append({"file_name": name, "captions": captions})
        (folder / split / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("data") / "shapes")


def train_words(pictures, run, *more):
    return [
        "train", str(pictures), "--output", str(run), "--from-scratch", "tiny", "--epochs", "60",
        "--batch-size", "8", "--learning-rate", "2e-3", "--device", "cpu", "--precision", "fp32",
        "--set", "training.gradient_accumulation_steps=1", "--set", "training.eval_steps=120",
        "--set", "training.logging_steps=40", "--set", "training.warmup_steps=20", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "shapes"
    torch.set_num_threads(1)
    assert main(train_words(pictures, run)) == 0
    return run


def test_the_run_folder_holds_what_was_promised(trained):
    for name in ("model/model.safetensors", "recipe.yaml", "history.jsonl", "metrics.json", "report.html"):
        assert (trained / name).is_file(), name
    assert (trained / "checkpoints").is_dir()
    assert list((trained / "tensorboard").glob("events.out.tfevents.*"))
    history = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    assert {"loss", "learning_rate"} <= history[0].keys()
    evaluations = [row for row in history if "eval_wer" in row]
    assert [row["step"] for row in evaluations] == [120, 240, 360]
    assert {"eval_loss", "eval_cider_d", "eval_distinct"} <= evaluations[0].keys()


def test_it_learns_and_the_best_checkpoint_is_the_best_evaluation(trained):
    metrics = json.loads((trained / "metrics.json").read_text())["tuned"]
    assert metrics["metrics"]["wer"] < 0.5 * metrics["controls"]["shuffled"]["wer"]
    history = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    best = min(row["eval_wer"] for row in history if "eval_wer" in row)
    assert json.loads((trained / "best.json").read_text())["best_score"] == best


def test_transformers_alone_loads_the_model_and_says_the_same(trained, pictures):
    from transformers import AutoModelForCausalLM, AutoProcessor

    processor = AutoProcessor.from_pretrained(trained / "model")
    model = AutoModelForCausalLM.from_pretrained(trained / "model").eval()
    lines = [json.loads(line) for line in (trained / "predictions.jsonl").read_text().splitlines()]
    assert len(lines) == 12
    for line in lines[:4]:
        picture = Image.open(pictures / "test" / Path(line["image"]).name).convert("RGB")
        pixel_values = processor(images=picture, return_tensors="pt").pixel_values
        ids = model.generate(pixel_values=pixel_values, max_new_tokens=50, max_length=None)
        assert processor.batch_decode(ids, skip_special_tokens=True)[0] == line["caption"]


def test_evaluate_prints_the_promised_json(trained, pictures, capsys, tmp_path):
    predictions, report = tmp_path / "p.jsonl", tmp_path / "r.html"
    code = main([
        "evaluate", str(trained / "model"), str(pictures), "--split", "test", "--json",
        "--predictions", str(predictions), "--report", str(report),
    ])  # fmt: skip
    assert code == 0
    found = json.loads(capsys.readouterr().out)
    wanted = {"wer", "wer_first", "cer", "rouge1", "rouge2", "rougeL", "cider_d", "distinct"}
    wanted |= {f"bleu_{order}" for order in (1, 2, 3, 4)}
    assert found["model"] == str(trained / "model")
    assert (found["images"], found["skipped"]) == (12, 0)
    for scores in (found["metrics"], found["controls"]["constant"], found["controls"]["shuffled"]):
        assert wanted <= scores.keys()
    assert wanted <= found["normalization"].keys()
    assert found["metrics"] == json.loads((trained / "metrics.json").read_text())["tuned"]["metrics"]
    lines = [json.loads(line) for line in predictions.read_text().splitlines()]
    assert {"image", "caption", "confidence", "references"} <= lines[0].keys()
    assert "<!doctype html>" in report.read_text().lower()


def test_a_run_knows_its_own_data_and_split(trained, capsys):
    assert main(["evaluate", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 12


def test_the_table_shows_the_controls_beside_the_scores(trained, capsys):
    assert main(["evaluate", str(trained)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["score", "model", "95%", "interval", "constant", "shuffled", "better", "is"]
    assert any(line.startswith("wer ") for line in lines)


def test_base_and_tuned_when_a_model_is_fine_tuned(trained, pictures, tmp_path, capsys):
    words = [
        word for word in train_words(pictures, tmp_path / "again") if word not in ("--from-scratch", "tiny")
    ]
    code = main(
        [*words, "--model", str(trained), "--freeze", "image_encoder", "--set", "training.max_steps=3"]
    )
    assert code == 0
    metrics = json.loads((tmp_path / "again" / "metrics.json").read_text())
    assert (
        metrics["base"]["metrics"] == json.loads((trained / "metrics.json").read_text())["tuned"]["metrics"]
    )
    before, after = (load_file(run / "model" / "model.safetensors") for run in (trained, tmp_path / "again"))
    frozen = {name for name in before if name.startswith("git.image_encoder.")}
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen), "the frozen encoder has moved"
    assert not all(torch.equal(before[name], after[name]) for name in before.keys() - frozen), (
        "nothing was trained"
    )


def test_unusable_pictures_are_left_out_named_and_counted(pictures, tmp_path, capsys):
    folder = tmp_path / "shapes"
    shutil.copytree(pictures, folder)
    (folder / "train" / "train-00.png").write_bytes(b"not a picture")
    (folder / "validation" / "validation-01.png").unlink()
    (folder / "test" / "test-02.png").write_bytes((folder / "test" / "test-02.png").read_bytes()[:60])
    code = main(train_words(folder, tmp_path / "run", "--set", "training.max_steps=2"))
    captured = capsys.readouterr()
    assert code == 3
    skipped = json.loads((tmp_path / "run" / "skipped.json").read_text())
    assert {Path(name).name for name in skipped} == {"train-00.png", "validation-01.png"}
    assert "train-00.png" in captured.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["tuned"]
    assert (metrics["images"], metrics["skipped"]) == (11, 1)


def test_what_a_person_sees_at_each_evaluation(pictures, tmp_path, capsys):
    # Where all pictures have one and the same caption, a model soon says nothing else.
    folder = tmp_path / "alike"
    shutil.copytree(pictures, folder)
    for split in ("train", "validation", "test"):
        names = sorted(path.name for path in (folder / split).glob("*.png"))
        rows = [{"file_name": name, "captions": ["a red dog"]} for name in names]
        (folder / split / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(train_words(folder, tmp_path / "run", "--set", "training.max_steps=60")) == 0
    told = capsys.readouterr().err
    assert "fp32 on cpu" in told
    assert "people: a red dog" in told
    assert "model:  a red dog" in told
    assert "distinct" in told
    assert "Warning: the model says the same thing about 12 of 12 pictures: 'a red dog'" in told
    assert "--set training.learning_rate=" in told


def test_early_stopping(pictures, tmp_path):
    more = ["--patience", "2", "--set", "training.eval_steps=1", "--set", "training.learning_rate=0"]
    assert main(train_words(pictures, tmp_path / "run", *more)) == 0
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert max(row["step"] for row in history) == 3


def test_a_diverged_run_says_so(pictures, tmp_path, capsys):
    more = ["--set", "training.logging_steps=1", "--set", "training.learning_rate=1e30"]
    more += ["--set", "training.max_grad_norm=0"]
    assert main(train_words(pictures, tmp_path / "run", *more)) == 2
    assert "training has diverged" in capsys.readouterr().err


def test_all_captions_and_bf16(pictures, tmp_path, capsys):
    more = ["--set", "data.captions=all", "--set", "training.max_steps=2", "--set", "model.precision=bf16"]
    words = train_words(pictures, tmp_path / "run", *more)
    del words[words.index("--precision") : words.index("--precision") + 2]
    assert main(words) == 0
    told = capsys.readouterr().err
    assert "bf16 on cpu" in told
    assert "batch 8 pictures with up to 2 captions each" in told


@pytest.mark.parametrize("fast", ["true", "false"])
def test_a_frozen_image_encoder_sees_each_picture_once(
    pictures, trained, tmp_path, capsys, monkeypatch, fast
):
    """With leyenda's own code its output is cached; with that of transformers it runs in every step."""
    monkeypatch.setenv("LEYENDA_CACHE", str(tmp_path / "cache"))
    more = [
        "--model",
        str(trained),
        "--freeze",
        "image_encoder",
        "--set",
        f"model.fast={fast}",
        "--batch-size",
        "auto",
    ]
    words = [
        word
        for word in train_words(pictures, tmp_path / "run", *more)
        if word not in ("--from-scratch", "tiny")
    ]
    words[words.index("--epochs") + 1] = "2"
    words += ["--set", "data.captions=all", "--set", "evaluation.base=false"]
    assert main(words) == 0, capsys.readouterr().err
    assert "Batch size: 32 of a step's 32 pictures at a time" in capsys.readouterr().err
    assert bool(list((tmp_path / "cache").rglob("*.features"))) == (fast == "true")


def test_memory_of_evaluation_is_one_batch_whatever_the_set(pictures, trained, monkeypatch):
    """No logits are collected: the largest tensor alive afterwards is no larger for more pictures."""
    from leyenda import models
    from leyenda.jobs.evaluate import evaluate_examples
    from leyenda.models import GenerationSettings

    model = models.load(trained, device="cpu")
    examples = load_examples(pictures)
    batch_sizes = []
    original = models.CaptioningModel.generate

    def watched(self, pixel_values, settings, **more):
        batch_sizes.append(len(pixel_values))
        return original(self, pixel_values, settings, **more)

    monkeypatch.setattr(models.CaptioningModel, "generate", watched)
    result = evaluate_examples(model, examples, settings=GenerationSettings(max_length=8), batch_size=16)
    assert result.scores.images == len(examples) == 72
    assert max(batch_sizes) == 16
    assert sum(batch_sizes) == 72


def test_a_full_disk_ends_clearly_and_the_run_can_go_on(pictures, tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=True)
    try:
        more = [
            "--set",
            "training.save_steps=6",
            "--set",
            "training.eval_steps=6",
            "--set",
            "training.save_total_limit=9",
        ]
        more += ["--set", "training.report_to=[]"]
        words = train_words(pictures, disk / "run", *more)
        words[words.index("--epochs") + 1] = "12"
        assert main(words) == 2
        told = capsys.readouterr().err
        assert "The disk is full" in told
        assert "--resume" in told
        assert "Traceback" not in told
        checkpoints = list((disk / "run" / "checkpoints").glob("checkpoint-*"))
        assert checkpoints
        for checkpoint in checkpoints:
            load_file(checkpoint / "model.safetensors")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert main([*words, "--resume"]) == 0
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_push_to_sends_the_finished_model(pictures, tmp_path):
    with FakeHub() as hub:
        token = hub.add_user("ana")
        home = tmp_path / "home"
        home.mkdir()
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        words = train_words(
            pictures, tmp_path / "run", "--set", "training.max_steps=2", "--push-to", "ana/shapes"
        )
        finished = subprocess.run(
            [sys.executable, "-m", "leyenda", *words],
            env=variables | hub.environment(home, token) | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr[-2000:]
        assert "ana/shapes" in finished.stdout
        files = hub.files("ana/shapes")
        assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= files.keys()
        assert not any("checkpoint" in name or "optimizer" in name for name in files)


def test_a_wrong_hub_name_is_said_before_training(pictures, tmp_path, capsys):
    assert main(train_words(pictures, tmp_path / "run", "--push-to", "no such/name/here")) == 2
    assert "is not a name that the hub takes" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
