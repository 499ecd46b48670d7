"""A decoded picture of any mode becomes what a person sees on white paper: upright, RGB, eight bits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

if TYPE_CHECKING:
    from PIL import ImageCms

from leyenda.images.quiet import quiet_pillow

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation (tag 274; EXIF 2.32, section 4.6.4) -> the turn that undoes it."""

_RANGES = {"I": (65535, 2**31 - 1), "F": (1.0, 255.0, 65535.0)}
"""Mode -> values that may stand for white: files of 32-bit values do not say; the least that holds all is."""


def orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 (upright) when there is none or the metadata is damaged."""
    try:
        with quiet_pillow:
            found = picture.getexif().get(274, 1)
    except Exception:
        # Metadata may hold anything; a picture is not lost because of it.
        return 1
    return found if found in _UPRIGHT else 1


def upright(picture: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says."""
    turn = _UPRIGHT.get(orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def to_rgb(picture: Image.Image) -> Image.Image:
    """Convert any Pillow mode to RGB; what is transparent becomes white.

    Args:
        picture: any mode: 1, L, LA, La, P, PA, RGB, RGBA, RGBa, CMYK, YCbCr, LAB, HSV, I, I;16*, F.

    Returns:
        A new picture of mode RGB. 16-bit grey maps 0..65535 to 0..255; CMYK goes through its embedded ICC
        profile when there is one.
    """
    hidden = _hidden_by_colour_key(picture)
    if picture.mode.startswith("I;16") or picture.mode in _RANGES:
        rgb = _grey_to_rgb(picture)
    elif picture.mode == "CMYK":
        rgb = _cmyk_to_rgb(picture)
    elif picture.mode == "LAB":
        rgb = _through_profiles(picture, None)
    elif hidden is None and picture.has_transparency_data:
        rgb = _over_white(picture)
    else:
        rgb = picture.convert("RGB")
    if hidden is not None:
        rgb.paste((255, 255, 255), mask=Image.fromarray(hidden))
    rgb.info.clear()
    return rgb


def _over_white(picture: Image.Image) -> Image.Image:
    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def _hidden_by_colour_key(picture: Image.Image) -> NDArray[np.bool_] | None:
    """Pixels of the one colour that a PNG without alpha names transparent (chunk tRNS), height x width.

    Pillow compares the key with pixels after it has scaled them to eight bits, and the key it has not scaled.
    """
    key = picture.info.get("transparency")
    modes = ("1", "L", "RGB", "I", "I;16", "I;16B", "I;16L")
    if not isinstance(key, int | tuple) or picture.mode not in modes:
        return None
    bits = int(picture.info.get("leyenda_bits", 8))
    pixels = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
    if isinstance(key, tuple):
        colour = np.asarray(key) >> (bits - 8)
        return np.asarray((pixels == colour).all(axis=-1))
    if picture.mode == "L":
        key = key * 255 // (2**bits - 1)
    return np.asarray(pixels == key)


def _grey_to_rgb(picture: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0.0, neginf=0.0)
    peak = float(values.max(initial=0.0))
    white = 65535.0
    if picture.mode in _RANGES:
        white = next((top for top in _RANGES[picture.mode] if peak <= top), peak)
    return Image.fromarray(to_eight_bits(values, white)).convert("RGB")


def to_eight_bits(values: NDArray[np.generic], white: float) -> NDArray[np.uint8]:
    """Scale values so that `white` becomes 255, rounding to nearest and clipping below 0.

    >>> to_eight_bits(np.array([0, 257, 65535]), 65535.0).tolist()
    [0, 1, 255]
    """
    scaled = np.rint(np.asarray(values, dtype=np.float64) * (255.0 / white))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _cmyk_to_rgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile and features.check("littlecms2"):
        from PIL import ImageCms

        try:
            return _through_profiles(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (OSError, ImageCms.PyCMSError):
            # A damaged profile, or one for other inks: the plain conversion below needs none.
            return picture.convert("RGB")
    return picture.convert("RGB")


def _through_profiles(picture: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    from PIL import ImageCms

    source = ImageCms.createProfile("LAB") if profile is None else profile
    converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # only an in-place conversion returns None
    return converted
