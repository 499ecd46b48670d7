"""What each argument of `evaluate` changes; scores themselves are the business of the metrics' tests."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from leyenda.cli import main
from leyenda.errors import DataError, ModelError
from leyenda.jobs.evaluate import evaluate
from leyenda.models import CaptioningModel

PICTURES = 12


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Noise with captions, in no split, in a table whose pictures lie elsewhere under odd column names."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "far" / "away").mkdir(parents=True)
    random = np.random.default_rng(3)
    rows = ["snap,said,words\n"]
    for number in range(PICTURES):
        noise = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "far" / "away" / f"{number}.png")
        rows.append(f"{number}.png,un niño corre y salta,another caption {number}\n")
    (folder / "table.csv").write_text("".join(rows), encoding="utf-8")
    return folder / "table.csv"


@pytest.fixture
def score(pairs, tiny_checkpoint):
    """A function: arguments of `evaluate` -> its result, on all pictures unless they say otherwise."""
    torch.set_num_threads(1)

    def run(**options):
        reading = {
            "image_column": "snap",
            "caption_column": "said",
            "image_root": str(pairs.parent / "far" / "away"),
        }
        given = reading | {"split": "all", "max_length": 8, "device": "cpu"} | options
        return evaluate(str(tiny_checkpoint), str(pairs), **given)

    return run


@pytest.fixture
def generated(monkeypatch):
    """What the model is asked for, batch by batch: pictures, the number format of products, settings."""
    seen = []
    generate = CaptioningModel.generate

    def watched(self, pixel_values, settings, **more):
        seen.append((len(pixel_values), self.model.git.encoder.layer[0].output.dense.weight.dtype, settings))
        return generate(self, pixel_values, settings, **more)

    monkeypatch.setattr(CaptioningModel, "generate", watched)
    return seen


def words(result):
    return [prediction.caption for prediction in result.predictions]


def test_captions_depend_on_the_search_and_its_length(score, generated):
    greedy, beams, short = score(), score(beams=3), score(max_length=2)
    assert words(greedy) != words(beams)
    assert max(len(text.split()) for text in words(short)) <= 2 < max(len(t.split()) for t in words(greedy))
    assert [(settings.beams, settings.max_length) for _, _, settings in generated] == [(1, 8), (3, 8), (1, 2)]


def test_batches_and_number_format(score, generated):
    score(batch_size=5, precision="bf16")
    assert [size for size, _, _ in generated] == [5, 5, 2]
    assert {dtype for _, dtype, _ in generated} == {torch.bfloat16}


def test_a_device_that_is_not_here_is_not_quietly_another(score):
    with pytest.raises(ModelError, match="on this machine"):
        score(device="cuda:99")


def test_the_language_decides_how_words_are_made_and_the_report_speaks(
    score, pairs, tiny_checkpoint, tmp_path
):
    assert score().scores.normalization["bleu_1"] != score(language="es").scores.normalization["bleu_1"]
    reading = ["--image-column", "snap", "--caption-column", "said", "--split", "all", "--device", "cpu"]
    reading += ["--image-root", str(pairs.parent / "far" / "away"), "--max-length", "4"]
    for language in ("en", "es"):
        report = tmp_path / f"{language}.html"
        evaluating = ["evaluate", str(tiny_checkpoint), str(pairs), *reading, "--language", language]
        assert main([*evaluating, "--report", str(report)]) == 0
        assert f'<html lang="{language}"' in report.read_text(encoding="utf-8")


def test_the_division_of_a_source_without_splits(score):
    def sizes(**options):
        return {split: len(score(split=split, **options).predictions) for split in ("test", "train")}

    def names(**options):
        return {prediction.id for prediction in score(split="test", **options).predictions}

    assert sizes(test=0.6, validation=0.1)["test"] > sizes(test=0.3, validation=0.1)["test"]
    assert sizes(test=0.3, validation=0.1)["train"] > sizes(test=0.3, validation=0.5)["train"]
    assert len({frozenset(names(test=0.5, split_seed=seed)) for seed in range(3)}) > 1


def test_the_columns_the_folder_and_the_format_are_those_that_are_named(score, pairs):
    assert score().predictions[0].references == ("un niño corre y salta",)
    assert score(caption_column="words").predictions[0].references == ("another caption 0",)
    with pytest.raises(DataError, match="column 'photo'"):
        score(image_column="photo")
    with pytest.raises(DataError, match="There is no folder"):
        score(image_root="nowhere")
    with pytest.raises(DataError, match="not JSON"):
        score(format="jsonl")


def test_what_is_for_the_hub_reaches_it(score, monkeypatch):
    """The hub itself is in the tests of sources and models; no other value goes there."""
    asked = {}
    monkeypatch.setattr("leyenda.jobs.evaluate.load_examples", lambda source, **given: asked.update(given))
    with pytest.raises(AttributeError):
        score(revision="v1", streaming=True, token="hf_x")
    assert asked.items() >= {"revision": "v1", "streaming": True, "token": "hf_x"}.items()
    monkeypatch.undo()

    def load(name, **given):
        asked.update(given)
        raise InterruptedError

    monkeypatch.setattr("leyenda.models.load", load)
    with pytest.raises(InterruptedError):
        score(model_revision="v2", token="hf_y", precision="bf16")
    assert asked.items() >= {"revision": "v2", "token": "hf_y", "precision": "bf16"}.items()


def test_a_run_tells_how_its_data_were_read(tiny_checkpoint, pairs, tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model").symlink_to(tiny_checkpoint)
    data = {"source": str(pairs), "image_column": "snap", "caption_column": "said", "test": 0.5}
    data["image_root"] = str(pairs.parent / "far" / "away")
    (run / "recipe.yaml").write_text(json.dumps({"data": data, "evaluation": {"max_length": 4}}))
    assert main(["evaluate", str(run), "--json", "--device", "cpu"]) == 0
    assert 2 < json.loads(capsys.readouterr().out)["images"] < PICTURES
    assert (
        main(["evaluate", str(run), "--caption-column", "words", "--predictions", str(tmp_path / "p.jsonl")])
        == 0
    )
    first = json.loads((tmp_path / "p.jsonl").read_text().splitlines()[0])
    assert first["references"][0].startswith("another caption")
