"""Every kind of picture comes out as a person would see it; every kind of damage has a name."""

import io
import os
import random
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, features

from leyenda.errors import ImageError
from leyenda.images import open_picture
from leyenda.records import ImageSource

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data) -> list[list[tuple[int, int, int]]]:
    picture = open_picture(data)
    assert picture.mode == "RGB"
    return [[tuple(pixel) for pixel in row] for row in np.asarray(picture).tolist()]


def png(width, height, depth, colour, rows: list[bytes], *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand from the specification, so that no Pillow writer decides what it holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", header), *extra, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


# A picture of 3 x 2 with six different pixels shows every turn and mirror.
CORNERS = np.array([[RED, GREEN, BLUE], [WHITE, BLACK, (255, 255, 0)]], np.uint8)
AS_STORED = {  # EXIF orientation -> how a camera stores the upright picture under that tag
    1: CORNERS,
    2: CORNERS[:, ::-1],
    3: CORNERS[::-1, ::-1],
    4: CORNERS[::-1],
    5: CORNERS.transpose(1, 0, 2),
    6: np.rot90(CORNERS),
    7: CORNERS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(CORNERS, -1),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WebP", "JPEG"])
@pytest.mark.parametrize("orientation", AS_STORED)
def test_exif_orientation_is_undone(orientation, kind):
    stored = AS_STORED[orientation]
    if kind == "JPEG":  # blocks of one colour survive its losses
        stored = stored.repeat(16, axis=0).repeat(16, axis=1)
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if kind == "WebP" else {"subsampling": 0} if kind == "JPEG" else {}
    data = encoded(Image.fromarray(stored), kind, exif=exif, **options)
    opened = np.asarray(open_picture(data)).astype(int)
    if kind == "JPEG":
        opened = opened[8::16, 8::16]
    assert opened.shape == CORNERS.shape
    assert np.abs(opened - CORNERS).max() <= (12 if kind == "JPEG" else 0)


def test_damaged_exif_does_not_cost_the_picture():
    data = encoded(Image.fromarray(CORNERS), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert (np.asarray(open_picture(data)) == CORNERS).all()


def test_rgba_lies_over_white():
    rgba = np.array([[(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 255, 51), (0, 0, 0, 128)]], np.uint8)
    # over white: c * a + 255 * (1 - a), a = 51/255 = 0.2, 128/255
    assert pixels(encoded(Image.fromarray(rgba), "PNG")) == [[RED, WHITE, (204, 204, 255), (127, 127, 127)]]


def test_grey_with_alpha_lies_over_white():
    assert pixels(png(3, 1, 8, 4, [bytes([0, 255, 0, 0, 100, 51])])) == [[BLACK, WHITE, (224, 224, 224)]]


def test_sixteen_bit_grey_with_alpha():
    row = struct.pack(">6H", 0, 65535, 0, 0, 25700, 65535)
    assert pixels(png(3, 1, 16, 4, [row])) == [[BLACK, WHITE, (100, 100, 100)]]


def test_palette():
    palette = (b"PLTE", bytes([*RED, *GREEN, *BLUE]))
    assert pixels(png(3, 1, 8, 3, [bytes([2, 0, 1])], palette)) == [[BLUE, RED, GREEN]]


@pytest.mark.parametrize(
    ("alphas", "row"),
    [
        ([255, 0], [RED, WHITE, BLUE]),  # one entry fully transparent: Pillow keeps an index
        ([255, 51, 0], [RED, (204, 255, 204), WHITE]),  # a table: Pillow keeps bytes
    ],
)
def test_palette_with_transparency(alphas, row):
    palette, alpha = (b"PLTE", bytes([*RED, *GREEN, *BLUE])), (b"tRNS", bytes(alphas))
    assert pixels(png(3, 1, 8, 3, [bytes([0, 1, 2])], palette, alpha)) == [row]


@pytest.mark.parametrize(
    ("depth", "colour", "row", "key", "seen"),
    [
        (1, 0, b"\x40", struct.pack(">H", 0), [WHITE, WHITE, WHITE]),  # bits 0 1 0: black is the key
        (2, 0, b"\x18", struct.pack(">H", 1), [BLACK, WHITE, (170, 170, 170)]),  # values 0 1 2
        (4, 0, b"\x0f\x50", struct.pack(">H", 15), [BLACK, WHITE, (85, 85, 85)]),
        (8, 0, bytes([0, 7, 8]), struct.pack(">H", 7), [BLACK, WHITE, (8, 8, 8)]),
        (16, 0, struct.pack(">3H", 0, 257, 514), struct.pack(">H", 257), [BLACK, WHITE, (2, 2, 2)]),
        (8, 2, bytes([*RED, *GREEN, *BLUE]), struct.pack(">3H", *GREEN), [RED, WHITE, BLUE]),
        (
            16,
            2,
            struct.pack(">9H", 65535, 0, 0, 0, 65535, 0, 0, 0, 65535),
            struct.pack(">3H", 0, 65535, 0),
            [RED, WHITE, BLUE],
        ),
    ],
)
def test_a_transparent_colour_becomes_white(depth, colour, row, key, seen):
    assert pixels(png(3, 1, depth, colour, [row], (b"tRNS", key))) == [seen]


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = [0, 128, 129, 257, 32768, 65535]
    row = struct.pack(">6H", *values)
    expected = [[(grey,) * 3 for grey in (round(value * 255 / 65535) for value in values)]]
    assert pixels(png(6, 1, 16, 0, [row])) == expected
    tiff = encoded(Image.fromarray(np.array([values], np.uint16)), "TIFF")
    assert pixels(tiff) == expected
    assert pixels(b"P5 6 1 65535\n" + row) == expected


def test_sixteen_bit_colour():
    row = struct.pack(">6H", 65535, 0, 257 * 100, 0, 0, 65535)
    assert pixels(png(2, 1, 16, 2, [row])) == [[(255, 0, 100), BLUE]]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 32767, 65535]], np.int32), [0, 127, 255]),
        (np.array([[0, 2**30, 2**31 - 1]], np.int32), [0, 128, 255]),
        (np.array([[-5, 0, 65535]], np.int32), [0, 0, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 128, 255]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, 0.2, 1]], np.float32), [0, 51, 255]),
    ],
)
def test_thirty_two_bit_grey(array, expected):
    assert [pixel[0] for pixel in pixels(encoded(Image.fromarray(array), "TIFF"))[0]] == expected


def test_one_bit_and_grey():
    assert pixels(png(3, 1, 1, 0, [b"\xa0"])) == [[WHITE, BLACK, WHITE]]
    assert pixels(png(2, 1, 8, 0, [bytes([3, 250])])) == [[(3, 3, 3), (250, 250, 250)]]
    assert pixels(b"P1\n3 1\n0 1 0\n") == [[WHITE, BLACK, WHITE]]


@pytest.mark.parametrize(
    ("ink", "seen"),
    [
        ((0, 255, 255, 0), RED),
        ((255, 0, 255, 0), GREEN),
        ((0, 0, 0, 255), BLACK),
        ((0, 0, 0, 0), WHITE),
        ((255, 0, 0, 0), (0, 255, 255)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_ink_becomes_light(ink, seen, kind):
    # Pillow writes CMYK JPEG as Adobe does, inverted with the marker that says so.
    data = encoded(Image.new("CMYK", (16, 16), ink), kind)
    assert (b"Adobe" in data) == (kind == "JPEG")
    assert np.abs(np.asarray(open_picture(data)).astype(int) - seen).max() <= 4


def test_cmyk_goes_through_its_profile(monkeypatch):
    if not features.check("littlecms2"):
        pytest.fail("the pinned Pillow has colour management")
    # No CMYK profile can be made here, so the road is watched: the embedded profile must be what is applied.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF", icc_profile=srgb)
    seen = []

    def convert(picture, source, target, outputMode):  # noqa: N803
        seen.append((source.tobytes(), picture.mode, outputMode))
        return Image.new("RGB", picture.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", convert)
    assert pixels(data)[0][0] == (1, 2, 3)
    assert seen == [(srgb, "CMYK", "RGB")]


@pytest.mark.parametrize("profile", [b"no profile at all", "sRGB"])
def test_a_profile_that_does_not_fit_is_left_aside(profile):
    if profile == "sRGB":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF", icc_profile=profile)
    assert pixels(data)[0][0] == RED


def test_lab():
    # CIELAB (D50) of sRGB red is (54.3, 80.8, 69.9), of grey 128 (53.6, 0, 0); TIFF stores L * 2.55, a, b.
    array = np.array([[(138, 81, 70), (137, 0, 0)]], np.int16).astype(np.uint8)
    picture = Image.frombytes("LAB", (2, 1), array.tobytes())
    ((red, grey),) = pixels(encoded(picture, "TIFF"))
    assert np.abs(np.array(red) - RED).max() <= 8
    assert np.abs(np.array(grey) - 128).max() <= 3


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WebP", "TIFF"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WebP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert pixels(data)[4][4] == RED


def test_transparent_gif_lies_over_white():
    picture = Image.new("P", (2, 1))
    picture.putpalette([*BLACK, *RED])
    picture.putdata([0, 1])
    assert pixels(encoded(picture, "GIF", transparency=0)) == [[WHITE, RED]]


@pytest.mark.parametrize("kind", ["BMP", "PPM", "GIF", "JPEG2000", "TIFF"])
def test_plain_formats(kind):
    assert (np.asarray(open_picture(encoded(Image.fromarray(CORNERS), kind))) == CORNERS).all()


def test_avif():
    data = encoded(Image.new("RGB", (32, 32), (200, 30, 30)), "AVIF", quality=90)
    assert np.abs(np.asarray(open_picture(data)).astype(int) - (200, 30, 30)).max() <= 6


def test_all_sources_give_the_same_picture(tmp_path):
    data = encoded(Image.fromarray(CORNERS), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    (tmp_path / "shard.bin").write_bytes(b"x" * 100 + data + b"y" * 100)
    sources = [
        data,
        bytearray(data),
        str(path),
        path,
        ImageSource(str(path)),
        ImageSource(str(tmp_path / "shard.bin"), 100, len(data)),
        Image.fromarray(CORNERS),
        Image.open(path),
        CORNERS,
        CORNERS.astype(np.uint16) * 257,
        CORNERS / 255,
        (CORNERS / 255).astype(np.float16),
        np.dstack([CORNERS, np.full((2, 3), 255, np.uint8)]),
        np.asfortranarray(CORNERS),
    ]
    for source in sources:
        assert (np.asarray(open_picture(source)) == CORNERS).all(), type(source)


def test_grey_arrays():
    grey = np.array([[0, 128, 255]], np.uint8)
    for array in (grey, grey[:, :, None]):
        assert np.asarray(open_picture(array)).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]


@pytest.mark.parametrize(
    ("array", "code", "words"),
    [
        (np.zeros(4), "unreadable", "(4)"),
        (np.zeros((2, 3, 5)), "unreadable", "(2 x 3 x 5)"),
        (np.zeros((2, 3, 2), np.uint8), "unreadable", "(2 x 3 x 2)"),
        (np.zeros((1, 2, 3, 3)), "unreadable", "(1 x 2 x 3 x 3)"),
        (np.zeros((3, 20, 20)), "unreadable", "transpose(1, 2, 0)"),
        (np.zeros((0, 5, 3)), "empty", "no pixels"),
        (np.zeros((2, 2), np.int64), "unreadable", "int64"),
        (np.zeros((2, 2), bool), "unreadable", "bool"),
        (np.full((2, 2), 255.0), "unreadable", "255 to 255"),
        (np.full((2, 2), np.nan), "unreadable", "nan"),
        (np.full((2, 2), -0.1), "unreadable", "-0.1"),
    ],
)
def test_arrays_that_are_no_pictures(array, code, words):
    with pytest.raises(ImageError) as caught:
        open_picture(array)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_the_callers_picture_is_left_alone():
    picture = Image.fromarray(CORNERS)
    picture.info["mine"] = 1
    opened = open_picture(picture)
    opened.putpixel((0, 0), (9, 9, 9))
    assert picture.getpixel((0, 0)) == RED
    assert picture.info == {"mine": 1}


def test_orientation_of_a_pillow_picture():
    exif = Image.Exif()
    exif[274] = 6
    lazy = Image.open(io.BytesIO(encoded(Image.fromarray(AS_STORED[6]), "PNG", exif=exif)))
    assert (np.asarray(open_picture(lazy)) == CORNERS).all()


# ---- the pixel limit
# -------------------------------------------------------------------------------------------


def test_the_limit_counts_pixels():
    data = encoded(Image.new("RGB", (10, 10)), "PNG")
    assert open_picture(data, max_pixels=100).size == (10, 10)
    with pytest.raises(ImageError) as caught:
        open_picture(data, max_pixels=99)
    assert caught.value.code == "too_large"
    for words in ("10 x 10", "100", "99", "max_pixels", "--max-pixels"):
        assert words in str(caught.value)
    for source in (Image.new("RGB", (10, 10)), np.zeros((10, 10))):
        with pytest.raises(ImageError, match="max_pixels"):
            open_picture(source, max_pixels=99)


def bomb() -> bytes:
    """A PNG of a few dozen bytes that claims 60,000 x 60,000 pixels."""
    return png(60_000, 60_000, 8, 2, [b"\0"])


def test_a_bomb_is_refused_before_it_takes_memory():
    with pytest.raises(ImageError) as caught:
        open_picture(bomb())
    assert caught.value.code == "too_large"
    assert "60000 x 60000" in str(caught.value)


def test_a_raised_limit_goes_past_pillows_own(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert open_picture(encoded(Image.new("RGB", (10, 10)), "PNG")).size == (10, 10)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.png"
    with open(path, "wb") as file:
        file.truncate(2**40)  # sparse: takes no room
    with pytest.raises(ImageError) as caught:
        open_picture(path)
    assert caught.value.code == "too_large"


# ---- damage
# ----------------------------------------------------------------------------------------------------

PHOTO = Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8))
FILES = {
    "JPEG": encoded(PHOTO, "JPEG"),
    "progressive JPEG": encoded(PHOTO, "JPEG", progressive=True),
    "PNG": encoded(PHOTO, "PNG"),
    "GIF": encoded(PHOTO, "GIF"),
    "WebP": encoded(PHOTO, "WebP"),
    "lossless WebP": encoded(PHOTO, "WebP", lossless=True),
    "BMP": encoded(PHOTO, "BMP"),
    "TIFF": encoded(PHOTO, "TIFF"),
    "compressed TIFF": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "JPEG 2000": encoded(PHOTO, "JPEG2000"),
    "AVIF": encoded(PHOTO, "AVIF"),
    "PPM": encoded(PHOTO, "PPM"),
}


def without(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + data[end:]


DAMAGE = [
    ("zero bytes", b"", "empty"),
    ("text", b"hello, I am a text file", "not_an_image"),
    ("web page", b"<!DOCTYPE html><html><body>404</body></html>", "not_an_image"),
    ("SVG", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "not_an_image"),
    ("PDF", b"%PDF-1.7 ...", "not_an_image"),
    ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),
    ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not_an_image"),
    ("ZIP", b"PK\3\4" + b"\0" * 40, "not_an_image"),
    ("Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\n", "not_an_image"),
    ("only zeros", b"\0" * 1000, "not_an_image"),
    ("random bytes", random.Random(1).randbytes(1000), "not_an_image"),
    ("one byte", b"\xff", "not_an_image"),
    ("PNG signature only", FILES["PNG"][:8], "truncated"),
    ("PNG without end", FILES["PNG"][:-200], "truncated"),
    ("PNG, half", FILES["PNG"][: len(FILES["PNG"]) // 2], "truncated"),
    ("PNG with a hole", without(FILES["PNG"], 100, 400), "unreadable"),
    ("PNG with a wrong header", FILES["PNG"][:20] + b"\0\0\0\0" + FILES["PNG"][24:], "unreadable"),
    ("JPEG start only", FILES["JPEG"][:4], "truncated"),
    ("JPEG, half", FILES["JPEG"][: len(FILES["JPEG"]) // 2], "truncated"),
    (
        "JPEG, half, progressive",
        FILES["progressive JPEG"][: len(FILES["progressive JPEG"]) // 3],
        "truncated",
    ),
    ("JPEG without tables", b"\xff\xd8\xff\xd9", "unreadable"),
    ("GIF header only", FILES["GIF"][:10], "truncated"),
    ("GIF, half", FILES["GIF"][: len(FILES["GIF"]) // 2], "truncated"),
    ("WebP, half", FILES["WebP"][: len(FILES["WebP"]) // 2], "truncated"),
    ("WebP header only", FILES["WebP"][:16], "truncated"),
    ("WebP with a wrong header", FILES["WebP"][:20] + b"\0" * 10 + FILES["WebP"][30:], "unreadable"),
    ("BMP, half", FILES["BMP"][: len(FILES["BMP"]) // 2], "truncated"),
    ("TIFF, half", FILES["compressed TIFF"][: len(FILES["compressed TIFF"]) // 2], "truncated"),
    ("JPEG 2000, header only", FILES["JPEG 2000"][:60], "truncated"),
    ("AVIF, half", FILES["AVIF"][: len(FILES["AVIF"]) // 2], "truncated"),
    ("PPM, half", FILES["PPM"][: len(FILES["PPM"]) // 2], "truncated"),
    ("a bomb", bomb(), "too_large"),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in DAMAGE], ids=[row[0] for row in DAMAGE])
def test_damage_has_a_name(data, code, tmp_path):
    path = tmp_path / "damaged.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        open_picture(path)
    assert caught.value.code == code, str(caught.value)
    assert "damaged.jpg" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_picture_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for source, code in [
        (tmp_path / "none.png", "missing"),
        (tmp_path, "unreadable"),
        (tmp_path / "pipe", "unreadable"),
        (tmp_path / "loop", "unreadable"),
        ("a\0b.png", "unreadable"),
        ("", "missing"),
        (ImageSource(""), "missing"),
        ("https://example.org/a.png", "url"),
        (None, "unreadable"),
        (7, "unreadable"),
    ]:
        with pytest.raises(ImageError) as caught:
            open_picture(source)
        assert caught.value.code == code, source


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(FILES["PNG"])

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ImageSource, "read", refuse)  # chmod would not stop root
    with pytest.raises(ImageError) as caught:
        open_picture(path)
    assert caught.value.code == "unreadable"
    assert "Permission denied" in str(caught.value)


@pytest.mark.parametrize("kind", FILES)
def test_no_damage_escapes(kind, capfd):
    seed = int(os.environ.get("LEYENDA_FUZZ_SEED") or random.randrange(10**6))
    rounds = int(os.environ.get("LEYENDA_FUZZ_ROUNDS") or 60)
    chance = random.Random(seed)
    whole = FILES[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for attempt in range(rounds):
            data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.4 else whole)
            for _ in range(chance.choice((0, 1, 1, 3, 30))):
                if data:
                    end = len(data) if chance.random() < 0.5 else min(len(data), 100)
                    data[chance.randrange(end)] ^= 1 << chance.randrange(8)
            try:
                open_picture(bytes(data), max_pixels=1_000_000)
            except ImageError:
                continue
            except BaseException as error:
                pytest.fail(f"{kind}, seed {seed}, round {attempt}: {type(error).__name__}: {error}")
    assert capfd.readouterr() == ("", ""), f"{kind}, seed {seed}"


# ---- manners
# ---------------------------------------------------------------------------------------------------


def test_pillow_and_the_warning_filters_are_left_as_they_were():
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [open_picture(FILES[kind]) for kind in FILES] * 3) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


def test_a_warning_of_pillow_is_not_shown(tmp_path):
    # A TIFF whose directory names data past the end of the file: Pillow warns, and reads the picture.
    data = bytearray(encoded(PHOTO, "TIFF", software="x" * 40))
    entry = data.index(struct.pack("<HHI", 305, 2, 41))
    data[entry + 8 : entry + 12] = struct.pack("<I", 10**6)
    path = tmp_path / "odd.tiff"
    path.write_bytes(data)
    noisy = f"from PIL import Image; Image.open({str(path)!r}).load()"
    quiet = f"from leyenda.images import open_picture; print(open_picture({str(path)!r}).size)"
    assert "Warning" in subprocess.run([sys.executable, "-c", noisy], capture_output=True, text=True).stderr
    done = subprocess.run([sys.executable, "-W", "always", "-c", quiet], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(50, 40)\n", "")


def test_real_photographs(shared: Path):
    for path in sorted((shared / "data/flickr8k-800/Images").iterdir())[:5]:
        assert (np.asarray(open_picture(path)) == np.asarray(Image.open(path))).all()
