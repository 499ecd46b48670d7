"""A checkpoint saved and loaded, by leyenda and by `transformers`, stays what it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from leyenda import models
from leyenda.errors import ImageError
from leyenda.models import GenerationSettings

SETTINGS = GenerationSettings(max_length=10)


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].numpy().tobytes() == other[name].numpy().tobytes(), name


def picture(seed: int, width: int = 50, height: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_transformers_to_leyenda_to_transformers(
    load_reference, reference, family_checkpoint, tmp_path, pixels
):
    loaded = models.load(family_checkpoint, device="cpu")
    loaded.save(tmp_path / "ours")
    assert_same_weights(family_checkpoint, tmp_path / "ours")

    theirs = load_reference(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs")
    assert_same_weights(family_checkpoint, tmp_path / "theirs")

    again = models.load(tmp_path / "ours", device="cpu")
    expected = loaded.generate(pixels[:6], SETTINGS)
    captions = again.generate(pixels[:6], SETTINGS)
    assert [(c.text, c.token_ids, c.confidence) for c in captions] == [
        (c.text, c.token_ids, c.confidence) for c in expected
    ]
    with torch.no_grad():
        before = reference.generate(pixel_values=pixels[:6], max_new_tokens=10)
        after = theirs.generate(pixel_values=pixels[:6], max_new_tokens=10)
    assert torch.equal(before, after)


def test_saving_twice_writes_the_same_bytes(family_model, tmp_path):
    for name in ("one", "two"):
        family_model.save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_pictures_and_words_are_prepared_as_transformers_prepares_them(
    family_checkpoint, family_model, tmp_path
):
    import transformers

    family_model.save(tmp_path / "saved")
    for folder in (family_checkpoint, tmp_path / "saved"):
        pictures = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
        expected = pictures([picture(1), picture(2, 31, 77)], return_tensors="pt")["pixel_values"]
        ours = family_model.pixel_values([picture(1), picture(2, 31, 77)])
        assert torch.allclose(ours, expected, atol=1e-5)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        assert (
            tokenizer("Un niño está aquí.")["input_ids"]
            == family_model.tokenizer("Un niño está aquí.")["input_ids"]
        )


def test_a_saved_git_model_is_an_auto_processor_and_an_auto_model(tiny_checkpoint):
    """As the run folder's README promises: `AutoProcessor`, `AutoModelForCausalLM`, and nothing of leyenda."""
    from transformers import AutoModelForCausalLM, AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_checkpoint)
    model = AutoModelForCausalLM.from_pretrained(tiny_checkpoint)
    inputs = processor(images=picture(3), return_tensors="pt")
    ids = model.generate(pixel_values=inputs["pixel_values"], max_new_tokens=8)
    text = processor.batch_decode(ids, skip_special_tokens=True)[0].strip()
    ours = models.load(tiny_checkpoint, device="cpu")
    (caption,) = ours.generate(ours.pixel_values([picture(3)]), GenerationSettings(max_length=8))
    assert caption.text == text


def test_pixel_values_of_any_size(family_model):
    values = family_model.pixel_values([picture(1, 1, 1), picture(2, 300, 2), picture(3, 32, 32)])
    assert values.shape == (3, 3, 32, 32)
    assert values.dtype == torch.float32
    assert torch.isfinite(values).all()


@pytest.mark.parametrize("size", [(201, 1), (1, 100_000)])
def test_a_line_of_pixels_is_refused_before_it_takes_gigabytes(family_model, size):
    with pytest.raises(ImageError, match=f"{size[0]} x {size[1]} pixels is too long and thin"):
        family_model.pixel_values([Image.new("RGB", size)])
