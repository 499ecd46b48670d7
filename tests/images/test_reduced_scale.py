"""A large JPEG decoded at a smaller scale is the same picture, as far as a model of 224 pixels can see."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from leyenda.errors import ImageError
from leyenda.images import open_picture
from leyenda.images.preparation import preparation_of
from leyenda.images.reduced_scale import extent_of

SETTINGS = {
    "do_convert_rgb": True,
    "do_resize": True,
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}
GIT = preparation_of(
    SETTINGS
    | {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 224},
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    }
)
BLIP = preparation_of(
    SETTINGS | {"image_processor_type": "BlipImageProcessor", "size": {"height": 300, "width": 384}}
)


def jpeg(picture: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92, **options)
    return file.getvalue()


def drawn(width: int, height: int) -> Image.Image:
    """Thin lines, edges and letters of one pixel's sharpness: harder than photographs."""
    picture = Image.new("RGB", (width, height), (250, 240, 200))
    pen = ImageDraw.Draw(picture)
    random = np.random.default_rng(width)
    for _ in range(60):
        x, y, dx, dy = random.uniform(0, 1, 4) * (width, height, width / 4, height / 4)
        colour = tuple(random.integers(0, 256, 3).tolist())
        pen.ellipse((x, y, x + dx, y + dy), fill=colour, outline="black", width=3)
        pen.line((y, x, x, y), fill=colour, width=2)
        pen.text((x, y), "leyenda", fill="black", font_size=height / 20)
    return picture


def enlarged(picture: Image.Image, pixels: float, odd: int) -> Image.Image:
    """The picture with so many pixels, with a sensor's noise, its sides `odd` beyond a multiple of 8."""
    growth = (pixels / (picture.width * picture.height)) ** 0.5
    size = tuple(int(side * growth) // 8 * 8 + odd for side in picture.size)
    values = np.asarray(picture.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    noise = np.random.default_rng(odd).integers(-14, 15, (*values.shape[:2], 1), dtype=np.int16)
    return Image.fromarray((values + noise).clip(0, 255).astype(np.uint8))


def difference(data: bytes, preparation) -> tuple[float, float, int]:
    """PSNR in dB, mean and largest difference of the model's input, in steps of 255."""
    exact = preparation.resized(open_picture(data)).astype(float)
    picture = open_picture(data, at_least=preparation.at_least)
    assert picture.size != open_picture(data).size
    away = np.abs(preparation.resized(picture) - exact)
    return 10 * np.log10(255**2 / np.square(away).mean()), float(away.mean()), int(away.max())


@pytest.mark.parametrize("odd", [0, 5])
def test_photographs_of_twelve_megapixels(shared, odd):
    photographs = sorted((shared / "data" / "flickr8k-800" / "Images").glob("*.jpg"))[odd : odd + 2]
    for photograph in photographs:
        with Image.open(photograph) as small:
            data = jpeg(enlarged(small, 12e6, odd))
        for preparation in (GIT, BLIP):
            quality, mean, most = difference(data, preparation)
            assert quality > 50
            assert mean < 0.4
            assert most <= 5


@pytest.mark.parametrize("size", [(2400, 1800), (1805, 2407)])
def test_drawings(size):
    quality, mean, most = difference(jpeg(drawn(*size), subsampling=0), GIT)
    assert quality > 40
    assert mean < 1.5
    assert most <= 32


def test_it_is_the_smallest_scale_that_keeps_enough():
    data = jpeg(Image.new("RGB", (1600, 1201)))
    sizes = {
        least: open_picture(data, at_least=least).size
        for least in (150, 151, 300, 301, 600, 601, 1201, 9999, (200, 10), (10, 151), (1601, 1))
    }
    assert sizes == {
        150: (200, 151),
        151: (400, 301),
        300: (400, 301),
        301: (800, 601),
        600: (800, 601),
        601: (1600, 1201),
        1201: (1600, 1201),
        9999: (1600, 1201),
        (200, 10): (200, 151),
        (10, 151): (400, 301),
        (1601, 1): (1600, 1201),
    }


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation(orientation):
    """Sides of one pixel beyond a multiple of 4: three fourths of a row at a wrong edge are 25 dB here."""
    exif = Image.Exif()
    exif[274] = orientation
    data = jpeg(drawn(2401, 1805), exif=exif, subsampling=0)
    quality, _, _ = difference(data, GIT)
    assert quality > 40
    picture, exact = open_picture(data, at_least=448), open_picture(data)
    extent = extent_of(picture)
    assert (extent.width, extent.height) == exact.size
    wide = [side * 3 // 4 for side in exact.size]
    assert open_picture(data, at_least=(wide[0], 10)).size == exact.size
    assert open_picture(data, at_least=(10, wide[1])).size == exact.size


@pytest.mark.parametrize("mode", ["L", "CMYK", "CMYK with a profile", "progressive"])
def test_grey_ink_and_progressive(mode):
    picture, options = drawn(1301, 1003), {}
    if mode == "progressive":
        options["progressive"] = True
    else:
        picture = picture.convert(mode.split()[0])
    if mode.endswith("profile"):
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    quality, _, _ = difference(jpeg(picture, **options), GIT)
    assert quality > 40


@pytest.mark.parametrize("kind", ["PNG", "WebP", "TIFF"])
def test_other_formats_are_decoded_exactly(kind):
    file = io.BytesIO()
    drawn(900, 700).save(file, kind)
    reduced, exact = (open_picture(file.getvalue(), at_least=least) for least in (50, None))
    assert reduced.size == (900, 700)
    assert reduced.tobytes() == exact.tobytes()


def test_the_same_errors():
    data = jpeg(drawn(1300, 1000))
    damaged = [data[:20_000], data[:700], b"", b"<html>", data[:300] + bytes(40) + data[300:]]
    for broken in [*damaged, data]:
        told = []
        for least in (None, 100):
            with pytest.raises(ImageError) as caught:
                open_picture(broken, at_least=least, max_pixels=1_299_999)
            told.append((caught.value.code, str(caught.value)))
        assert told[0] == told[1]


def test_what_was_cut_afterwards_stands_for_itself():
    picture = open_picture(jpeg(Image.new("RGB", (1001, 803))), at_least=100)
    assert extent_of(picture).width == 1001
    assert extent_of(picture.crop((0, 0, 50, 40))).width == 50
