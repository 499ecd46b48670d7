from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leyenda.errors import LeyendaError
from leyenda.sharing.finished_run import problems_of, read_run


def test_a_complete_run_is_read(run_folder: Path):
    assert problems_of(run_folder) == []
    run = read_run(run_folder)
    assert run.model == run_folder / "model"
    assert run.recipe is not None
    assert run.recipe.training["learning_rate"] == 1e-5
    assert run.metrics["tuned"]["metrics"]["wer"] == 0.4
    assert len(run.predictions) == 13


def test_a_bare_model_is_read(tiny_checkpoint: Path):
    run = read_run(tiny_checkpoint)
    assert (run.path, run.recipe, run.metrics) == (tiny_checkpoint, None, {})


def cut_weights(run: Path) -> None:
    file = run / "model" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def shard_weights(run: Path) -> None:
    (run / "model" / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (run / "model" / "model.safetensors.index.json").write_text(json.dumps(index))


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda run: (run / name).write_text(text)


def remove(*names: str) -> Callable[[Path], object]:
    return lambda run: [(run / name).unlink() for name in names]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (remove("model/config.json"), "has no trained model yet"),
        (remove("model/config.json", "recipe.yaml"), "neither a training run nor a model"),
        (remove("model/tokenizer.json"), "no tokenizer (tokenizer.json or"),
        (remove("model/processor_config.json"), "no image processor"),
        (remove("model/model.safetensors"), "model.safetensors' are missing"),
        (shard_weights, "model-00001-of-00001.safetensors' are missing"),
        (cut_weights, "model.safetensors' are cut off or damaged"),
        (write("model/config.json", "{"), "config.json' is not valid JSON"),
        (write("model/config.json", "[]"), "config.json' holds no names and values"),
        (remove("recipe.yaml"), "has no recipe.yaml"),
        (write("recipe.yaml", "a: ["), "not YAML"),
        (write("recipe.yaml", "modell: {}"), "has no 'modell'"),
        (remove("metrics.json"), "has no metrics.json"),
        (write("metrics.json", "{"), "metrics.json' is not valid JSON"),
        (write("metrics.json", '{"base": {}}'), "no scores of the tuned model"),
        (write("predictions.jsonl", '{"id": "a"}\n{"id":\n'), "predictions.jsonl:2' is not valid JSON"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    run_folder: Path, damage: Callable[[Path], object], expected: str
):
    damage(run_folder)
    problems = problems_of(run_folder)
    assert len(problems) == 1, problems
    assert expected in str(problems[0])
    assert "\n" not in str(problems[0])
    with pytest.raises(LeyendaError):
        read_run(run_folder)


def test_all_problems_come_together(run_folder: Path):
    remove("metrics.json", "model/tokenizer.json")(run_folder)
    cut_weights(run_folder)
    assert len(problems_of(run_folder)) == 3


def test_no_such_folder(tmp_path: Path):
    assert "does not exist" in str(problems_of(tmp_path / "nope")[0])
    (tmp_path / "file").touch()
    assert "is a file" in str(problems_of(tmp_path / "file")[0])
