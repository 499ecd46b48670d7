"""Which checkpoint a name means, and what is said of one that cannot be read."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from leyenda import models
from leyenda.errors import ModelError
from leyenda.models.loading import DEFAULT_MODEL, DEMO_FOLDER, resolve_name


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def drop_one_weight(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["output.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def turn_into_bert(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))


BROKEN = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "weights cut short": (lambda f: cut(f / "model.safetensors"), "cannot be read"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "cannot be read"),
    "noise for weights": (lambda f: (f / "model.safetensors").write_bytes(b"\x13" * 5000), "cannot be read"),
    "a weight missing": (drop_one_weight, "lacks 1 of its weights (output.weight"),
    "weights of another shape": (lambda f: edit_config(f, vocab_size=77), "cannot be read|of its weights"),
    "config cut short": (lambda f: cut(f / "config.json"), "cannot be read"),
    "config is a list": (lambda f: (f / "config.json").write_text("[1, 2]"), "cannot be read"),
    "config without a kind": (lambda f: (f / "config.json").write_text("{}"), "cannot be read"),
    "a kind that nobody knows": (lambda f: edit_config(f, model_type="gitt"), "cannot be read"),
    "a kind that captions nothing": (turn_into_bert, "is a 'bert' model, which leyenda cannot caption with"),
    "tokenizer cut short": (lambda f: cut(f / "tokenizer.json"), "cannot be read"),
    "no vocabulary": (lambda f: (f / "tokenizer.json").unlink(), "has a tokenizer without words"),
    "no tokenizer": (lambda f: [p.unlink() for p in f.glob("tokenizer*")], "has a tokenizer without words"),
    "processor cut short": (lambda f: cut(f / "processor_config.json"), "cannot be read"),
    "code of its own": (
        lambda f: edit_config(f, model_type="mine", auto_map={"AutoConfig": "evil.MyConfig"}),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_checkpoint_is_one_line_that_names_it(what, tiny_checkpoint, tmp_path, capfd):
    folder = tmp_path / "model"
    shutil.copytree(tiny_checkpoint, folder)
    spoil, words = BROKEN[what]
    spoil(folder)
    with pytest.raises(ModelError) as caught:
        models.load(folder, device="cpu")
    message = str(caught.value)
    assert any(word in message for word in words.split("|")), message
    assert str(folder) in message
    assert "\n" not in message
    assert len(message) < 500
    assert capfd.readouterr() == ("", "")


def test_a_run_folder_means_its_best_model(tiny_checkpoint, tmp_path):
    shutil.copytree(tiny_checkpoint, tmp_path / "run" / "model")
    assert resolve_name(tmp_path / "run") == str(tmp_path / "run" / "model")
    loaded = models.load(str(tmp_path / "run"), device="cpu")
    assert loaded.name == str(tmp_path / "run")


def test_a_run_without_a_model_says_how_to_finish_it(tmp_path):
    (tmp_path / "recipe.yaml").write_text("{}")
    with pytest.raises(ModelError, match=r"has no model yet. Finish it with: leyenda train .* --resume"):
        resolve_name(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("./nowhere", "There is no model folder './nowhere'."),
        ("/no/such/place", "There is no model folder '/no/such/place'."),
        ("~/nowhere", "There is no model folder '~/nowhere'."),
        ("runs/birds/", "There is no model folder 'runs/birds/'."),
        ("", "The name of the model is empty."),
        ("demmo", "There is no model 'demmo'. Did you mean 'demo'?"),
        ("git", "There is no model 'git'. Name a folder, a hub id"),
    ],
)
def test_a_name_that_is_no_model(name, words):
    with pytest.raises(ModelError) as caught:
        resolve_name(name)
    assert str(caught.value).startswith(words)


def test_a_folder_or_file_that_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"holds no model: it has no config.json"):
        resolve_name(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"is a file, not a model. Name the folder"):
        resolve_name(tmp_path / "model.safetensors")


def test_names_that_are_models(tmp_path):
    assert resolve_name("demo") == str(DEMO_FOLDER)
    assert resolve_name(DEFAULT_MODEL) == DEFAULT_MODEL == "microsoft/git-base-coco"


def test_a_revision_of_a_folder_is_an_error(tiny_checkpoint):
    with pytest.raises(ModelError, match="A folder has no revisions"):
        models.load(tiny_checkpoint, revision="main")


@pytest.mark.parametrize("name", ["weights", "tokenizer"])
def test_a_hub_id_without_a_hub_is_two_lines(name):
    load = models.load if name == "weights" else models.load_tokenizer
    with pytest.raises(ModelError) as caught:
        load("ana/birds")
    first, second = str(caught.value).splitlines()
    assert first == "The model 'ana/birds' is not on this machine, and the model hub does not answer."
    assert "--model FOLDER" in second


def test_only_the_tokenizer(tiny_checkpoint):
    tokenizer = models.load_tokenizer(tiny_checkpoint)
    ids = tokenizer("Un niño está aquí.")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "Un niño está aquí."


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("auto", torch.float32), ("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_precision_of_the_weights_on_a_cpu(tiny_checkpoint, precision, dtype):
    loaded = models.load(tiny_checkpoint, device="cpu", precision=precision)
    words = loaded.model.get_output_embeddings()
    products = [
        layer for layer in loaded.model.modules() if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
    ]
    assert {layer.weight.dtype for layer in products if layer is not words} == {dtype}
    # Logits, norms and embeddings decide between near words: they stay whole.
    rest = {id(weight) for layer in products if layer is not words for weight in layer.parameters()}
    assert {weight.dtype for weight in loaded.model.parameters() if id(weight) not in rest} == {torch.float32}
    (caption,) = loaded.generate(torch.zeros(1, 3, 32, 32), models.GenerationSettings(max_length=4))
    assert len(caption.token_ids) == 4
    assert 0 < caption.confidence <= 1
