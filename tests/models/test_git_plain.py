"""A GIT checkpoint read without `transformers` is the one that `transformers` reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.models import git_plain
from leyenda.models.git_plain import PlainGit
from leyenda.models.loading import DEMO_FOLDER


@pytest.fixture(scope="module")
def both():
    return tuple(models.load("demo", device="cpu", captions_only=only) for only in (True, False))


def test_weights_have_the_same_names_and_values(both):
    plain, usual = (model.model.state_dict() for model in both)
    assert isinstance(both[0].model, PlainGit)
    assert plain.keys() == usual.keys()
    assert all(torch.equal(plain[name], usual[name]) for name in plain)


def test_pictures_words_and_limits_are_the_same(both):
    plain, usual = both
    picture = Image.effect_noise((130, 90), 80).convert("RGB")
    assert torch.equal(plain.pixel_values([picture]), usual.pixel_values([picture]))
    ids = list(range(0, len(usual.tokenizer), 7))
    assert plain.decode(ids) == usual.decode(ids)
    assert plain.max_caption_tokens == usual.max_caption_tokens
    assert plain.max_new_tokens == usual.max_new_tokens


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_are_the_same(both, beams):
    pixels = torch.randn(5, 3, 100, 100, generator=torch.Generator().manual_seed(0))
    plain, usual = (model.generate(pixels, models.GenerationSettings(beams=beams)) for model in both)
    assert [caption.token_ids for caption in plain] == [caption.token_ids for caption in usual]
    assert [caption.confidence for caption in plain] == pytest.approx([c.confidence for c in usual], rel=1e-5)


def test_saved_again_it_is_a_whole_checkpoint(both, tmp_path):
    both[0].save(tmp_path)
    again = models.load(tmp_path, device="cpu")
    assert type(again.processor).__name__ == "GitProcessor"
    usual = both[1].model.state_dict()
    assert all(torch.equal(weight, usual[name]) for name, weight in again.model.state_dict().items())


def edit(folder: Path, name: str, **changes) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


NOT_CERTAIN = {
    "a video model": lambda f: edit(f, "config.json", num_image_with_embedding=6),
    "an activation it does not have": lambda f: edit(f, "config.json", hidden_act="relu"),
    "another kind": lambda f: edit(f, "config.json", model_type="blip"),
    "a generation rule of its own": lambda f: edit(f, "generation_config.json", repetition_penalty=1.5),
    "another tokenizer": lambda f: edit(f, "tokenizer_config.json", tokenizer_class="T5Tokenizer"),
    "a tokenizer setting it does not know": lambda f: edit(f, "tokenizer_config.json", extra=["[X]"]),
    "no tokenizer": lambda f: (f / "tokenizer.json").unlink(),
    "no preparation": lambda f: (f / "processor_config.json").unlink(),
    "other sizes": lambda f: edit(f, "config.json", vocab_size=77),
    "weights cut short": lambda f: (f / "model.safetensors").write_bytes(b"\0" * 40),
    "no JSON": lambda f: (f / "config.json").write_text("{"),
    "no object": lambda f: (f / "config.json").write_text("[]"),
}


@pytest.mark.parametrize("what", NOT_CERTAIN)
def test_what_is_not_certain_is_left_to_transformers(what, tmp_path):
    shutil.copytree(DEMO_FOLDER, tmp_path / "model")
    assert git_plain.read(tmp_path / "model") is not None
    NOT_CERTAIN[what](tmp_path / "model")
    assert git_plain.read(tmp_path / "model") is None


def test_captioning_with_the_demo_loads_neither_transformers_nor_the_compiler(tmp_path):
    Image.effect_noise((130, 90), 80).convert("RGB").save(tmp_path / "a.png")
    code = (
        "import sys\nfrom leyenda.cli import main\n"
        f"assert main(['caption', {str(tmp_path / 'a.png')!r}, '--model', 'demo', '--device', 'cpu']) == 0\n"
        "print(sorted({'transformers', 'torch._dynamo', 'sympy', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    caption, loaded = done.stdout.splitlines()
    assert caption
    assert loaded == "[]"
