"""Views differ from epoch to epoch, keep their colours, and are the same for the same seed."""

import torch
from PIL import Image

from leyenda import models
from leyenda.data.examples import Examples
from leyenda.records import Example, ImageSource
from leyenda.training.augmentation import SMALLEST_SIDE, view_of_epoch
from leyenda.training.pairs import Pairs
from leyenda.training.pictures import Pictures


def ramp():
    """Each pixel tells its place: row in the first channel, column in the second."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return torch.stack([rows, columns, torch.zeros(64, 64)])


def test_views_are_parts_mirrored_half_of_the_time(monkeypatch):
    monkeypatch.setattr("leyenda.training.augmentation.LIGHT", 0.0)
    mirrored = 0
    views = [view_of_epoch(ramp(), "a.jpg", epoch, seed=1) for epoch in range(200)]
    for view in views:
        assert view.shape == (3, 64, 64)
        rows, columns = view[0, :, 0], view[1, 0, :]
        assert rows[-1] - rows[0] >= 64 * SMALLEST_SIDE - 4
        assert rows[-1] > rows[0], "never upside down"
        mirrored += bool(columns[0] > columns[-1])
        assert view.min() >= -1e-3
        assert view.max() <= 63.001
    assert 70 < mirrored < 130
    assert len({view.numpy().tobytes() for view in views}) > 150


def test_the_light_changes_and_colours_stay():
    colours = torch.tensor([0.9, -0.2, -1.1])[:, None, None].expand(3, 64, 64)
    views = [view_of_epoch(colours, "a.jpg", epoch, seed=1)[:, 32, 32] for epoch in range(200)]
    lightness = torch.stack([view.mean() for view in views])
    assert lightness.min() < -0.3 < 0.05 < lightness.max()
    spreads = torch.stack([view[0] - view[2] for view in views]) / 2.0
    assert 0.69 < spreads.min() < 0.75
    assert 1.25 < spreads.max() < 1.31
    assert all(view[0] > view[1] > view[2] for view in views)


def test_the_picture_itself_is_not_changed():
    picture = ramp()
    view_of_epoch(picture, "a.jpg", 0, 0)
    assert torch.equal(picture, ramp())


def test_only_if_asked_for_and_the_same_again(tmp_path, tiny_checkpoint):
    model = models.load(tiny_checkpoint, device="cpu")
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "a.png")
    examples = Examples.from_rows([Example("a.png", ImageSource(str(tmp_path / "a.png")), ("x",), "train")])
    plain, other = (Pairs(examples, model, Pictures(model), augment=augment) for augment in (False, True))
    assert torch.equal(plain[(0, 0)]["images"]["pixel_values"], plain[(1, 0)]["images"]["pixel_values"])
    assert not torch.equal(other[(0, 0)]["images"]["pixel_values"], other[(1, 0)]["images"]["pixel_values"])
    assert torch.equal(other[(1, 0)]["images"]["pixel_values"], other[(1, 0)]["images"]["pixel_values"])
