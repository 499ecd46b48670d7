"""What a checkpoint's image processor does to a picture, done straight on Pillow's pixels.

The processors of `transformers` copy a picture several times between Pillow and NumPy at its full size. Here it is
resized once and stays in bytes; numbers are looked up in a table of the 256 that a byte can become. The result is the
same, bit for bit. Settings that are not understood here are left to the checkpoint's own processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leyenda.images.reduced_scale import AtLeast, extent_of

_PROCESSORS = ("BlipImageProcessor", "CLIPImageProcessor", "DeiTImageProcessor", "ViTImageProcessor")
"""`image_processor_type` of those that do nothing but resize, crop, rescale and normalise, in this order."""

_UNDERSTOOD = {
    *("do_resize", "size", "resample", "do_center_crop", "crop_size"),
    *("do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std"),
    # These say nothing about an RGB picture whose size has names.
    *("do_convert_rgb", "default_to_square"),
    *("image_processor_type", "feature_extractor_type", "processor_class"),
}

_SMOOTH = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)

_KEPT = 2
"""A reduced decode keeps so many times the pixels that the resize makes, a side. With 2, a value of 0 to 255 of a
photograph differs from the exact decode's by 0.3 on average and 3 at most (docs/performance.md has the others)."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """From an RGB picture to the model's input.

    Args:
        resize: pixels of the shorter side, or (width, height).
        crop: (width, height) of the middle part that is kept, not larger than what `resize` gives; None keeps all.
        resample: Pillow's filter.
        scale: what a value of 0 to 255 is multiplied by.
        mean: of red, green and blue after that, to subtract.
        deviation: of red, green and blue, to divide by.
    """

    resize: AtLeast
    crop: tuple[int, int] | None
    resample: Image.Resampling
    scale: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    @property
    def at_least(self) -> AtLeast:
        """What `leyenda.images.open_picture` must keep for this preparation."""
        if isinstance(self.resize, int):
            return _KEPT * self.resize
        return _KEPT * self.resize[0], _KEPT * self.resize[1]

    def resized(self, picture: Image.Image) -> NDArray[np.uint8]:
        """A picture in the model's size.

        Args:
            picture: upright, of mode RGB and any size.

        Returns:
            uint8 array `[3, height, width]`.
        """
        extent = extent_of(picture)
        size = self._size(extent.width, extent.height)
        pixels = np.asarray(picture.resize(size, self.resample, box=extent.box))
        if self.crop is not None:
            left, upper = (size[0] - self.crop[0]) // 2, (size[1] - self.crop[1]) // 2
            pixels = pixels[upper : upper + self.crop[1], left : left + self.crop[0]]
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def table(self) -> NDArray[np.float32]:
        """Float32 array `[3, 256]`: what each byte of red, green and blue is for the model."""
        # In the order and with the roundings of the processors, so that every number is theirs.
        values = (np.arange(256, dtype=np.float64) * self.scale).astype(np.float32)
        mean, deviation = (
            np.asarray(part, dtype=np.float32)[:, None] for part in (self.mean, self.deviation)
        )
        return np.asarray((values - mean) / deviation)

    def _size(self, width: int, height: int) -> tuple[int, int]:
        if not isinstance(self.resize, int):
            return self.resize
        long = int(self.resize * max(width, height) / min(width, height))
        return (self.resize, long) if width <= height else (long, self.resize)


def preparation_of(settings: Mapping[str, Any]) -> Preparation | None:
    """The preparation that an image processor's settings ask for.

    Args:
        settings: all settings of the processor (its `to_dict()`), none left to a default.

    Returns:
        None where something is asked for that is not understood here: another kind of processor, an unknown
        setting, a step left out, a filter that is not smooth, padding.
    """
    steps = all(settings.get(step) is True for step in ("do_resize", "do_rescale", "do_normalize"))
    if not steps or settings.keys() - _UNDERSTOOD or settings.get("image_processor_type") not in _PROCESSORS:
        return None
    resize, crop = _resize(settings.get("size")), None
    if settings.get("do_center_crop"):
        crop = _sides(settings.get("crop_size"))
        if resize is None or crop is None or not _fits(crop, resize):
            return None
    mean, deviation = settings.get("image_mean"), settings.get("image_std")
    if (
        resize is None
        or settings.get("resample") not in _SMOOTH
        or not (_colours(mean) and _colours(deviation))
    ):
        return None
    assert mean is not None
    assert deviation is not None
    resample = Image.Resampling(settings["resample"])
    return Preparation(resize, crop, resample, settings["rescale_factor"], tuple(mean), tuple(deviation))


def _resize(size: Any) -> AtLeast | None:
    if isinstance(size, Mapping) and size.keys() == {"shortest_edge"}:
        return int(size["shortest_edge"])
    return _sides(size)


def _sides(size: Any) -> tuple[int, int] | None:
    if isinstance(size, Mapping) and size.keys() == {"height", "width"}:
        return int(size["width"]), int(size["height"])
    return None


def _fits(crop: tuple[int, int], resize: AtLeast) -> bool:
    """Whether the crop never reaches beyond the resized picture, where a processor would fill with black."""
    width, height = (resize, resize) if isinstance(resize, int) else resize
    return crop[0] <= width and crop[1] <= height


def _colours(values: Any) -> bool:
    return isinstance(values, list | tuple) and len(values) == 3
