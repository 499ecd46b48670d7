"""Sizes come from headers, upright, and without decoding."""

import io

import pytest
from PIL import Image

from leyenda.errors import ImageError
from leyenda.images import measure_picture, open_picture
from leyenda.records import ImageSource


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000"])
def test_size_and_format(kind, tmp_path):
    path = tmp_path / "a"
    Image.new("RGB", (37, 21)).save(path, kind)
    header = measure_picture(ImageSource(str(path)))
    assert header == (kind.replace("JPEG2000", "JPEG 2000"), 37, 21)


def test_the_upright_size(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (30, 20)).save(path, exif=exif)
    assert measure_picture(ImageSource(str(path)))[1:] == open_picture(path).size == (20, 30)


def test_a_long_header(tmp_path):
    path = tmp_path / "a.tiff"
    Image.effect_noise((300, 400), 50).save(path, compression="tiff_lzw")  # its directory stands at the end
    assert measure_picture(ImageSource(str(path))) == ("TIFF", 300, 400)
    path.write_bytes(b"#" * 10 + path.read_bytes())
    assert measure_picture(ImageSource(str(path), 10)) == ("TIFF", 300, 400)


def test_the_pixels_are_not_read(tmp_path):
    buffer = io.BytesIO()
    Image.effect_noise((300, 400), 50).save(buffer, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue()[:1000])
    assert measure_picture(ImageSource(str(path))) == ("PNG", 300, 400)


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"text", "not_an_image"), (b"\xff\xd8\xff", "truncated")]
)
def test_headers_that_say_nothing(data, code, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        measure_picture(ImageSource(str(path)))
    assert caught.value.code == code


def test_no_file(tmp_path):
    with pytest.raises(ImageError) as caught:
        measure_picture(ImageSource(str(tmp_path / "none.png")))
    assert caught.value.code == "missing"
    assert "bytes" not in str(caught.value)
