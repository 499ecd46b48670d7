"""New models of a named size."""

from __future__ import annotations

import json

import pytest
import torch

from leyenda import models
from leyenda.errors import ModelError
from leyenda.models.new import SIZES

CAPTIONS = ["a red dog runs on the grass", "un niño está aquí"] * 3


def parameters(model) -> int:
    return sum(weight.numel() for weight in model.model.parameters())


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_a_named_size_captions_and_can_be_saved_and_loaded(size, tmp_path):
    new = models.create(size, CAPTIONS, seed=1, device="cpu")
    side = SIZES[size].image_size
    (caption,) = new.generate(torch.zeros(1, 3, side, side), models.GenerationSettings(max_length=3))
    assert len(caption.token_ids) <= 3
    new.save(tmp_path / "model")
    again = models.load(tmp_path / "model", device="cpu")
    assert parameters(again) == parameters(new)
    assert again.max_caption_tokens == SIZES[size].positions


def test_sizes_grow():
    assert list(SIZES) == ["tiny", "small", "medium", "base"]
    widths = [
        (size.image_size, size.text_width, size.text_layers, size.vocabulary) for size in SIZES.values()
    ]
    assert widths == sorted(widths)


def test_base_has_the_shape_of_microsofts_git_base():
    """Counted from the published configuration (ViT-B/16 at 224, six decoder layers of 768): 176.6 million weights."""
    from transformers import GitConfig, GitForCausalLM

    size = SIZES["base"]
    default = GitConfig()
    assert (size.vision_width, size.vision_layers) == (768, 12)
    assert (size.image_size, size.patch_size) == (224, 16)
    assert (size.text_width, size.text_layers) == (default.hidden_size, default.num_hidden_layers)
    assert (size.positions, size.vocabulary) == (default.max_position_embeddings, default.vocab_size)
    with torch.device("meta"):
        expected = sum(w.numel() for w in GitForCausalLM(default).parameters())
    assert 170e6 < expected < 180e6


def test_the_same_seed_gives_the_same_weights_whatever_the_state_of_torch():
    one = models.create("tiny", CAPTIONS, seed=1, device="cpu")
    torch.rand(7)
    state = torch.get_rng_state()
    two = models.create("tiny", CAPTIONS, seed=1, device="cpu")
    assert torch.equal(torch.get_rng_state(), state)
    three = models.create("tiny", CAPTIONS, seed=2, device="cpu")
    same = [torch.equal(a, b) for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(iter(one.model.parameters())), next(iter(three.model.parameters())))
    assert one.tokenizer.get_vocab() == two.tokenizer.get_vocab()


def test_a_size_of_ones_own(tmp_path):
    path = tmp_path / "mine.json"
    fields = {
        "image_size": 48,
        "patch_size": 16,
        "vision_width": 64,
        "vision_layers": 1,
        "text_width": 64,
        "text_layers": 1,
    }
    path.write_text(json.dumps(fields))
    new = models.create(str(path), CAPTIONS, device="cpu")
    assert new.model.config.vision_config.image_size == 48
    assert new.model.config.num_hidden_layers == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "does not describe a model size"),
        ('{"image_size": 3}', "Its fields are: image_size"),
        ("[]", "size"),
    ],
)
def test_a_size_file_that_is_none(tmp_path, text, words):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=words) as caught:
        models.create(str(path), CAPTIONS)
    assert "\n" not in str(caught.value)


def test_an_unknown_size_names_near_ones():
    with pytest.raises(ModelError, match=r"There is no model size 'smal'. Did you mean 'small'\?"):
        models.create("smal", CAPTIONS)
    with pytest.raises(ModelError, match="Sizes are: tiny, small, medium, base"):
        models.create("huge", CAPTIONS)
