import json

import pytest
import torch
from PIL import Image

from leyenda.quickstart import base
from leyenda.quickstart.demo_card import demo_card
from leyenda.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "start"
    base.save_new_model(folder, ["a small red car on the grass", "un coche rojo pequeño en la hierba"] * 5)
    return folder


def test_new_model_loads_with_transformers_alone_and_is_small_enough_to_ship(start):
    from transformers import AutoModelForCausalLM, AutoProcessor

    processor = AutoProcessor.from_pretrained(start)
    model = AutoModelForCausalLM.from_pretrained(start)
    inputs = processor(images=Image.new("RGB", (120, 96)), return_tensors="pt")
    assert inputs["pixel_values"].shape == (1, 3, 100, 100)
    assert model.generate(pixel_values=inputs["pixel_values"], max_new_tokens=3).shape[0] == 1
    assert sum(path.stat().st_size for path in start.iterdir()) < base.MOST_BYTES


def test_new_model_depends_on_its_seed_alone(start, tmp_path):
    captions = ["a small red car on the grass", "un coche rojo pequeño en la hierba"] * 5
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    base.save_new_model(tmp_path / "again", captions)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (tmp_path / "again/model.safetensors").read_bytes() == (start / "model.safetensors").read_bytes()


def test_neighbouring_patches_start_more_alike_than_distant_ones(start):
    from transformers import AutoModelForCausalLM

    embeddings = AutoModelForCausalLM.from_pretrained(start).git.image_encoder.vision_model.embeddings
    places = embeddings.position_embedding.weight[1:].detach().view(5, 5, -1)

    def from_corner(row, column):
        return float(torch.dist(places[0, 0], places[row, column]))

    assert from_corner(0, 1) < from_corner(0, 2) < from_corner(2, 2)
    assert from_corner(1, 0) == pytest.approx(from_corner(0, 1), rel=1e-4)


SCORES = {
    "images": 200,
    "metrics": {"wer": 0.25, "cider_d": 3.5},
    "controls": {"constant": {"wer": 0.75, "cider_d": 0.5}, "shuffled": {"wer": 1.0, "cider_d": 0.0}},
}


def test_card_tells_the_scores_beside_the_controls():
    card = demo_card(SCORES, pictures=20400, epochs=6)
    assert "20,400 pictures" in card
    assert "| word error rate, nearest caption (lower is better) | 0.250 | 0.750 | 1.000 |" in card
    assert "{" not in card


def test_publishing_replaces_the_demo_whole_and_refuses_what_is_too_large(start, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    run.model.mkdir(parents=True)
    (run.model / "config.json").write_text("{}")
    (run.folder / "metrics.json").write_text(json.dumps({"tuned": SCORES}))
    demo = tmp_path / "demo"
    demo.mkdir()
    (demo / "old.bin").write_text("old")
    base.publish(run, demo)
    assert sorted(path.name for path in demo.iterdir()) == ["README.md", "config.json"]
    monkeypatch.setattr(base, "MOST_BYTES", 1)
    with pytest.raises(base.LeyendaError, match="at most 1"):
        base.publish(run, demo)
    assert sorted(path.name for path in demo.iterdir()) == ["README.md", "config.json"]


def test_shipped_model_captions_a_toy_in_words_it_was_taught():
    import random

    from leyenda import models
    from leyenda.models import GenerationSettings
    from leyenda.quickstart.scene_drawing import draw_scene
    from leyenda.quickstart.scenes import Scene, Thing

    model = models.load("demo", device="cpu")
    scene = Scene("snow", "sun", Thing("car", "red", "yellow", "big"))
    pictures = [draw_scene(scene, random.Random(number)) for number in range(4)]
    captions = model.generate(model.pixel_values(pictures), GenerationSettings(max_length=40))
    told = " ".join(caption.text for caption in captions)
    assert told.count("red") + told.count("rojo") >= 3
    assert told.count("snow") + told.count("nieve") >= 3
    assert sum(path.stat().st_size for path in models.loading.DEMO_FOLDER.iterdir()) < base.MOST_BYTES
