"""Our preparation against the image processors of `transformers`: every number is the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from leyenda.images.preparation import preparation_of
from leyenda.models.normalization import normalized

PROCESSORS = {
    "GIT": CLIPImageProcessorPil(),
    "GIT of 100 pixels": CLIPImageProcessorPil(
        size={"shortest_edge": 100}, crop_size={"height": 100, "width": 100}
    ),
    "an odd crop": CLIPImageProcessorPil(size={"shortest_edge": 65}, crop_size={"height": 33, "width": 50}),
    "a fixed size, then a crop": CLIPImageProcessorPil(
        size={"height": 60, "width": 80}, crop_size={"height": 55, "width": 41}
    ),
    "BLIP": BlipImageProcessorPil(),
    "BLIP, not square": BlipImageProcessorPil(size={"height": 40, "width": 70}),
    "ViT": ViTImageProcessorPil(),
    "ViT, Lanczos": ViTImageProcessorPil(size={"height": 32, "width": 32}, resample=Image.Resampling.LANCZOS),
    "ViT of other numbers": ViTImageProcessorPil(
        rescale_factor=1 / 127.5, image_mean=[1, 0.5, 0.3], image_std=[0.2, 1, 3]
    ),
    "DeiT": DeiTImageProcessorPil(),
}

SIZES = [(64, 64), (640, 480), (333, 500), (31, 30), (1, 1), (224, 224), (500, 11)]


def pictures():
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in SIZES
    ]


@pytest.mark.parametrize("name", PROCESSORS)
def test_it_equals_the_processor_of_transformers(name):
    processor = PROCESSORS[name]
    preparation = preparation_of(processor.to_dict())
    assert preparation is not None
    for picture in pictures():
        theirs = processor(images=picture, return_tensors="pt")["pixel_values"]
        ours = normalized(torch.from_numpy(preparation.resized(picture))[None], preparation.table())
        assert ours.dtype == torch.float32
        assert torch.equal(ours, theirs)


def test_it_equals_the_processor_on_photographs(shared):
    processor = PROCESSORS["GIT"]
    preparation = preparation_of(processor.to_dict())
    for path in sorted((shared / "data" / "flickr8k-800" / "Images").glob("*.jpg"))[:8]:
        with Image.open(path) as photograph:
            theirs = processor(images=photograph, return_tensors="pt")["pixel_values"]
            ours = normalized(torch.from_numpy(preparation.resized(photograph))[None], preparation.table())
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "change",
    [
        {"do_resize": False},
        {"do_normalize": False},
        {"do_rescale": False},
        {"do_pad": True},
        {"pad_size": {"height": 9, "width": 9}},
        {"something_new": 1},
        {"size": {"shortest_edge": 224, "longest_edge": 400}},
        {"size": {"max_height": 224, "max_width": 400}},
        {"size": 224},
        {"crop_size": {"height": 225, "width": 224}},
        {"crop_size": None},
        {"resample": 0},
        {"resample": 4},
        {"resample": None},
        {"image_mean": 0.5},
        {"image_std": [0.5]},
        {"image_processor_type": "LlavaImageProcessor"},
        {"image_processor_type": None},
    ],
    ids=str,
)
def test_what_is_not_understood_is_left_to_the_checkpoint_s_processor(change):
    settings = PROCESSORS["GIT"].to_dict()
    assert preparation_of(settings) is not None
    assert preparation_of(settings | change) is None


def test_lookup_on_other_devices_is_the_same(monkeypatch):
    """The way that pictures take on a GPU, taken here on the CPU."""
    preparation = preparation_of(PROCESSORS["GIT"].to_dict())
    pixels = torch.randint(
        0, 256, (2, 3, 4, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    rows = torch.from_numpy(preparation.table())
    elsewhere = torch.stack([row[pixels[:, colour].int()] for colour, row in enumerate(rows)], dim=1)
    assert torch.equal(normalized(pixels, preparation.table()), elsewhere)
