"""Pictures of a run: opened once, the unusable ones named, kept within a budget, and always the same numbers."""

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.data.examples import Examples
from leyenda.images import open_picture
from leyenda.records import Example, ImageSource
from leyenda.training.pictures import Pictures, usable


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return models.load(tiny_checkpoint, device="cpu")


@pytest.fixture
def examples(tmp_path):
    rows = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.effect_noise((40 + number, 30), 60 + number * 60).convert("RGB").save(path)
        rows.append(Example(path.name, ImageSource(str(path)), ("a red dog",), "train"))
    return Examples.from_rows(rows)


def test_numbers_are_those_of_the_checkpoints_own_processor(examples, model):
    shown = Pictures(model).inputs(list(examples))["pixel_values"]
    pictures = [open_picture(example.image) for example in examples]
    assert torch.equal(shown, model.image_processor(images=pictures, return_tensors="pt")["pixel_values"])


def test_pictures_are_kept_as_bytes_and_within_the_budget(examples, model):
    pictures = Pictures(model, budget=2 * 3 * 32 * 32)
    first = [pictures.opened(example) for example in examples]
    second = [pictures.opened(example) for example in examples]
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_large_jpegs_are_decoded_at_reduced_scale_unless_told_otherwise(tmp_path, model):
    path = tmp_path / "large.jpg"
    Image.effect_mandelbrot((1600, 1200), (-2, -1.5, 1, 1.5), 90).convert("RGB").save(path)
    large = [Example(path.name, ImageSource(str(path)), ("a",), "train")]
    exact = Pictures(model, exact_decode=True)
    shown, reference = (pictures.inputs(large)["pixel_values"] for pictures in (exact, Pictures(model)))
    ours = model.image_processor(images=[open_picture(path)], return_tensors="pt")["pixel_values"]
    assert torch.equal(shown, ours)
    assert not torch.equal(shown, reference)
    assert exact.preparation() != Pictures(model).preparation()


def test_unusable_pictures_are_named_with_their_reason(tmp_path, examples, model):
    (tmp_path / "broken.jpg").write_bytes(b"this is no picture")
    rows = [
        *examples,
        Example("broken.jpg", ImageSource(str(tmp_path / "broken.jpg")), ("x",), "train"),
        Example("absent.jpg", ImageSource(str(tmp_path / "absent.jpg")), ("x",), "train"),
        Example("silent.png", examples[0].image, ("",), "train"),
    ]
    kept, skipped = usable(Examples.from_rows(rows), Pictures(model))
    assert [example.id for example in kept] == ["0.png", "1.png", "2.png"]
    assert {name: why.code for name, why in skipped.items()} == {
        "broken.jpg": "not_an_image",
        "absent.jpg": "missing",
        "silent.png": "no_caption",
    }
    assert str(tmp_path / "broken.jpg") in skipped["broken.jpg"].message
