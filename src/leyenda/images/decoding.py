"""Encoded bytes become a decoded picture, and whatever is wrong with them becomes an `ImageError`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image

from leyenda.errors import ImageError
from leyenda.images.endings import ends_early
from leyenda.images.formats import DECODERS, picture_format, what_it_is_instead
from leyenda.images.quiet import quiet_pillow
from leyenda.images.reduced_scale import AtLeast, reduce_scale
from leyenda.images.rgb import orientation

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


def read_header(data: bytes, name: str) -> tuple[str, ImageFile]:
    """Read a picture's header; its pixels stay encoded until `load` is called.

    Args:
        data: the encoded picture.
        name: what messages call it.

    Returns:
        The format's name and Pillow's lazy picture.

    Raises:
        ImageError: `empty`, `not_an_image`, `truncated`, `unreadable`.
    """
    if not data:
        raise ImageError("empty", f"{name} holds no bytes at all.")
    format_name = picture_format(data)
    if format_name is None:
        what = what_it_is_instead(data) or "no picture in a format that leyenda knows"
        raise ImageError("not_an_image", f"{name} is {what}.")
    decoder = _decoder(format_name, name)
    with _damage_is_image_error(data, format_name, name):
        # Pillow's `Image.open` would try other formats, warn, and apply a pixel limit of its own.
        return format_name, decoder(io.BytesIO(data))


def check_pixels(size: tuple[int, int], max_pixels: int, name: str) -> None:
    """Refuse a picture with more pixels than allowed, before any memory is taken for them.

    Raises:
        ImageError: `too_large`.
    """
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            "too_large",
            f"{name} has {width} x {height} pixels, {width * height:,} in all; the limit is {max_pixels:,}.",
            "Make it smaller, or raise max_pixels (leyenda caption --max-pixels) if you trust it.",
        )


def decode(data: bytes, max_pixels: int, name: str, at_least: AtLeast | None = None) -> Image.Image:
    """Decode the first frame of a picture, in the mode of the file.

    Args:
        data: the encoded picture.
        max_pixels: most pixels (width x height) to accept.
        name: what messages call it.
        at_least: a JPEG may be decoded at a smaller scale that keeps so many pixels; None decodes exactly.

    Raises:
        ImageError: with the code that says what is wrong with the bytes.
    """
    format_name, picture = read_header(data, name)
    check_pixels(picture.size, max_pixels, name)
    with _damage_is_image_error(data, format_name, name):
        if at_least is not None and format_name == "JPEG":
            reduce_scale(picture, at_least, lying=orientation(picture) >= 5)
        picture.load()
    if format_name == "PNG":
        picture.info["leyenda_bits"] = data[24]  # per channel; `to_rgb` needs it for the transparent colour
    return picture


def _decoder(format_name: str, name: str) -> type[ImageFile]:
    module, decoder = DECODERS[format_name]
    try:
        found: type[ImageFile] = getattr(import_module(f"PIL.{module}"), decoder)
    except ImportError:
        raise ImageError(
            "unreadable",
            f"{name} is in {format_name}, which the installed Pillow cannot read.",
            "Type: pip install --upgrade pillow",
        ) from None
    return found


@contextmanager
def _damage_is_image_error(data: bytes, format_name: str, name: str) -> Iterator[None]:
    try:
        with quiet_pillow:
            yield
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", f"{name} is too large: {error}") from error
    except MemoryError as error:
        raise ImageError("too_large", f"{name} needs more memory than there is.") from error
    except Exception as error:
        # Damaged bytes make decoders raise nearly anything; all of it means that this picture is damaged.
        if ends_early(data, format_name, error):
            raise ImageError(
                "truncated",
                f"{name} is a {format_name} picture that ends too early, after {len(data):,} bytes.",
                "Copy or download it again.",
            ) from error
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ImageError(
            "unreadable", f"{name} is a damaged {format_name} picture ({reason}).", "Replace or remove it."
        ) from error
