"""Packed bf16 weights: the products of the layers that they replace, activation included."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from leyenda import models
from leyenda.models.git_decoder import GitDecoder
from leyenda.models.packed import PackedLinear, PackedPatches, can_pack, pack_git
from leyenda.models.packed_layer import ROWS_AT_ONCE, PackedDecoderLayer
from leyenda.models.screened_vocabulary import ScreenedVocabulary

pytestmark = pytest.mark.skipif(
    not can_pack(torch.device("cpu"), torch.bfloat16), reason="packed products need a CPU with bf16"
)


def quick_gelu(states):
    return states * torch.sigmoid(1.702 * states)


@pytest.mark.parametrize(("batch", "rows"), [(1, 1), (2, 1), (2, 16), (2, 197)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("activation", "times", "expected"),
    [
        ("none", 1.0, lambda states: states),
        ("gelu", 1.0, nn.functional.gelu),
        ("swish", 1.702, lambda states: 1.702 * quick_gelu(states)),
    ],
)
def test_a_product_is_that_of_the_layer(batch, rows, bias, activation, times, expected):
    torch.manual_seed(0)
    layer = nn.Linear(96, 40, bias=bias)
    states = torch.randn(batch, rows, 96)
    with torch.inference_mode():
        got = PackedLinear(layer, activation, times)(states.bfloat16())
        wanted = expected(layer(states))
    assert got.dtype == torch.bfloat16
    assert got.shape == wanted.shape
    assert (got.float() - wanted).norm() / wanted.norm() < 0.01  # bf16 has 8 significant bits


@pytest.mark.parametrize("bias", [True, False])
def test_several_layers_are_one_product_and_no_chance_is_used(bias):
    layers = [nn.Linear(96, width, bias=bias) for width in (40, 24, 8)]
    states = torch.randn(2, 5, 96).bfloat16()
    chance = torch.get_rng_state()
    together = PackedLinear(layers)
    assert torch.equal(torch.get_rng_state(), chance)
    apart = torch.cat([PackedLinear(layer)(states) for layer in layers], dim=-1)
    torch.testing.assert_close(together(states), apart, rtol=0.01, atol=0.01)


def test_a_row_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    layer = PackedLinear(nn.Linear(768, 64))
    states = torch.randn(33, 768).bfloat16()
    together = layer(states)
    alone = torch.cat([layer(states[row : row + 1]) for row in range(33)])
    assert torch.allclose(alone.float(), together.float(), atol=0.02)


def test_nothing_of_a_git_is_left_unpacked(tiny_checkpoint, pixels):
    exact = models.load(tiny_checkpoint, precision="fp32", captions_only=True)
    packed = models.load(tiny_checkpoint, precision="bf16", captions_only=True)
    unpacked = {name for name, layer in packed.model.named_modules() if type(layer) is nn.Linear}
    assert not unpacked
    assert isinstance(packed.model.output, ScreenedVocabulary)
    with torch.inference_mode():
        wanted = exact.model.encode_images(exact.normalized(pixels))
        got = packed.model.encode_images(packed.normalized(pixels))
    assert (got - wanted).norm() / wanted.norm() < 0.02


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("rows_at_once", [ROWS_AT_ONCE, 3])
def test_an_image_alone_is_seen_as_among_others(images, rows_at_once, monkeypatch):
    """Its positions are then filled up to whole tiles: nothing may look at what fills them."""
    monkeypatch.setattr("leyenda.models.packed_layer.ROWS_AT_ONCE", rows_at_once)
    exact = models.create("tiny", ["a red dog", "two blue birds"] * 3, seed=7, device="cpu").model.eval()
    packed = models.create("tiny", ["a red dog", "two blue birds"] * 3, seed=7, device="cpu").model.eval()
    pack_git(packed)
    pixels = torch.randn(images, 3, *[exact.config.vision_config.image_size] * 2)
    with torch.inference_mode():
        wanted = exact.encode_images(pixels)
        assert wanted.shape[1] % 16
        got = packed.encode_images(pixels)
        assert got.shape == wanted.shape
        assert (got - wanted).norm() / wanted.norm() < 0.02
        for kinds in zip(packed.image_prefix(wanted), exact.image_prefix(wanted), strict=True):
            for one, other in zip(*kinds, strict=True):
                assert one.shape == other.shape
                assert (one - other).norm() / other.norm() < 0.02


@pytest.mark.parametrize("bias", [True, False])
def test_patches_are_those_of_the_convolution(bias):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 40, (4, 6), stride=(4, 6), bias=bias)
    pixels = torch.randn(2, 3, 17, 25)  # some are left over
    with torch.inference_mode():
        wanted, got = convolution(pixels), PackedPatches(convolution)(pixels)
    assert got.dtype == torch.bfloat16
    assert got.shape == wanted.shape
    assert (got.float() - wanted).norm() / wanted.norm() < 0.01


def test_a_model_that_transformers_read_is_packed_and_saved_whole(tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("leyenda.models.git_plain.read", lambda folder: None)
    packed = models.load(tiny_checkpoint, precision="bf16", captions_only=True)
    assert any(isinstance(layer, PackedLinear) for layer in packed.model.modules())
    packed.save(tmp_path / "again")
    before = models.load(tiny_checkpoint, precision="fp32").model.state_dict()
    after = models.load(tmp_path / "again", precision="fp32").model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


def test_an_activation_that_is_not_known_stays(tiny_checkpoint):
    network = models.load(tiny_checkpoint, precision="fp32", captions_only=True).model
    layer = network.git.encoder.layer[0].intermediate
    layer.intermediate_act_fn = nn.ReLU()
    pack_git(network)
    assert isinstance(layer.intermediate_act_fn, nn.ReLU)


@pytest.mark.parametrize("prompts", [(), ([7], [8, 9], [])])
def test_a_layer_without_its_modules_gives_what_the_modules_give(prompts):
    model = models.create("tiny", ["a red dog", "two blue birds"] * 3, seed=7, device="cpu").model.eval()
    pack_git(model)
    pixels = torch.randn(3, 3, *[model.config.vision_config.image_size] * 2)
    words = torch.randint(3, 20, (4, 6))

    def logits():
        decoder = GitDecoder(model, model.encode_images(pixels), 1, 8, prompts)
        found = [decoder.start()]
        decoder.expand(2)
        return found + [decoder.step(word) for word in words]

    with torch.inference_mode():
        quick = logits()
        for layer in model.git.encoder.layer:
            assert isinstance(layer.packed, PackedDecoderLayer)
            del layer.packed
        usual = logits()
    assert all(torch.equal(one, other) for one, other in zip(quick, usual, strict=True))
