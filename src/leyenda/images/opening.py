"""The one place where a picture is opened: any kind of source in, an upright RGB picture out."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leyenda.errors import ImageError
from leyenda.images.decoding import check_pixels, decode
from leyenda.images.reduced_scale import AtLeast, extent_of, keep_extent
from leyenda.images.rgb import orientation, to_eight_bits, to_rgb, upright
from leyenda.records import ImageSource, PictureBytes

PictureLike: TypeAlias = (
    ImageSource
    | PictureBytes
    | str
    | os.PathLike[str]
    | bytes
    | io.IOBase
    | Image.Image
    | NDArray[np.generic]
)
"""What `open_picture` takes."""

DEFAULT_MAX_PIXELS = 178_000_000
"""Width x height; decoded, such a picture takes about 0.7 GB. Pillow's own hard limit is nearly the same."""

_BYTES_PER_PIXEL = 16
"""No format spends more on a pixel (RGBA in 32-bit floats), so a larger file is refused unread."""


def open_picture(
    source: PictureLike, *, max_pixels: int = DEFAULT_MAX_PIXELS, at_least: AtLeast | None = None
) -> Image.Image:
    """Open a picture as a person would see it on white paper.

    The EXIF orientation is applied, transparency is laid over white, every mode (CMYK, 16-bit, palette, grey,
    1-bit) becomes RGB, and of an animation the first frame is taken.

    Args:
        source: an `ImageSource`, a path, encoded bytes (`PictureBytes` where they have a name), a file that is open for
            reading bytes, a Pillow picture, or an array of shape (height, width) or (height, width, channels) with 1,
            3 or 4 channels and values of uint8 (0..255), uint16 (0..65535) or floats (0..1). The fourth channel is
            opacity.
        max_pixels: most pixels (width x height) to decode; guards against decompression bombs.
        at_least: for a caller who makes the picture smaller anyway: an encoded JPEG may come at a half, a quarter or
            an eighth of its size, as long as its shorter side (or its width and height) keeps so many pixels.
            `leyenda.images.reduced_scale.extent_of` then tells the size of the whole. None decodes exactly.

    Returns:
        A picture of mode RGB; the source is left as it was.

    Raises:
        ImageError: `missing`, `empty`, `not_an_image`, `truncated`, `unreadable`, `too_large`; or `url` for a
            web address, which `leyenda.images.fetch` turns into bytes.

    >>> open_picture(np.full((2, 3), 0.5)).getpixel((0, 0))
    (128, 128, 128)
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        return _from_pillow(source, max_pixels)
    data, name = read_bytes(source, max_bytes=_most_bytes(max_pixels))
    decoded = decode(data, max_pixels, name, at_least)
    picture = to_rgb(upright(decoded))
    if at_least is not None:
        keep_extent(picture, extent_of(decoded).turned(orientation(decoded)))
    return picture


def read_picture(
    source: ImageSource | PictureBytes | str | os.PathLike[str] | bytes | io.IOBase,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> PictureBytes:
    """The encoded bytes of a picture that `open_picture` would open, and what messages call it.

    Raises:
        ImageError: `missing`, `unreadable`, `too_large`, `url`. What the bytes are, is not looked at.
    """
    return PictureBytes(*read_bytes(source, max_bytes=_most_bytes(max_pixels)))


def _most_bytes(max_pixels: int) -> int:
    return max(1 << 26, max_pixels * _BYTES_PER_PIXEL)


def read_bytes(
    source: ImageSource | PictureBytes | str | os.PathLike[str] | bytes | io.IOBase,
    *,
    max_bytes: int,
    first: int | None = None,
) -> tuple[bytes, str]:
    """The encoded bytes of a source, and what messages call it.

    Args:
        source: where the bytes are.
        max_bytes: a longer file is refused without being read.
        first: read only so many bytes from the start.

    Raises:
        ImageError: `missing`, `unreadable`, `too_large`, `url`.
    """
    if isinstance(source, PictureBytes):
        return source.data, source.name
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), f"The picture ({len(source):,} bytes)"
    if isinstance(source, io.IOBase):
        return _rest_of_file(source, max_bytes)
    source = _as_image_source(source)
    name = describe(source)
    try:
        status = os.stat(source.path)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not an ordinary file"
            raise ImageError("unreadable", f"{name} is {what}.", "Name a picture file.")
        size = status.st_size if source.size is None else source.size
        if size > max_bytes:
            raise ImageError(
                "too_large",
                f"{name} has {size:,} bytes, more than the limit of {max_bytes:,}.",
                "Make it smaller.",
            )
        return (source if first is None else replace(source, size=min(size, first))).read(), name
    except FileNotFoundError as error:
        hint = "Download it first." if "://" in source.path else "Check the name and the folder."
        raise ImageError("missing", f"There is no file {name}.", hint) from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        reason = getattr(error, "strerror", None) or error
        raise ImageError("unreadable", f"{name} cannot be read: {reason}.") from error


def _rest_of_file(file: io.IOBase, max_bytes: int) -> tuple[bytes, str]:
    """What an open file still holds."""
    name = f"The picture in {getattr(file, 'name', 'memory')!r}"
    if isinstance(file, io.TextIOBase):
        raise ImageError(
            "unreadable", f"{name} is open as text.", "Open it for reading bytes: open(path, 'rb')."
        )
    try:
        data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise ImageError("unreadable", f"{name} cannot be read: {error}.") from error
    if len(data) > max_bytes:
        raise ImageError(
            "too_large", f"{name} has more bytes than the limit of {max_bytes:,}.", "Make it smaller."
        )
    return data, name


def describe(source: ImageSource) -> str:
    """What messages call a source: its path, with the run of bytes where it is not the whole file.

    >>> describe(ImageSource("shard.tar", 512, 100))
    "'shard.tar' (bytes 512 to 611)"
    """
    if source.offset or source.size is not None:
        end = "the end" if source.size is None else source.offset + source.size - 1
        return f"{source.path!r} (bytes {source.offset} to {end})"
    return repr(source.path)


def _as_image_source(source: object) -> ImageSource:
    if isinstance(source, str | os.PathLike):
        source = ImageSource(os.fspath(source))
    if not isinstance(source, ImageSource):
        raise ImageError(
            "unreadable",
            f"What was given is of the type {type(source).__name__!r}, which is not a picture.",
            "Give a path, bytes, a Pillow picture or a NumPy array.",
        )
    if not source.path:
        raise ImageError("missing", "No picture is named.", "Give the picture's path.")
    if source.path.lower().startswith(("http://", "https://")):
        raise ImageError(
            "url",
            f"{source.path!r} is a web address, not a file.",
            "Use leyenda.images.fetch first.",
        )
    return source


def _from_pillow(picture: Image.Image, max_pixels: int) -> Image.Image:
    name = "The picture"
    check_pixels(picture.size, max_pixels, name)
    if 0 in picture.size:
        raise ImageError("empty", f"{name} has no pixels ({picture.width} x {picture.height}).")
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError) as error:
        code = "truncated" if "truncated" in str(error) else "unreadable"
        raise ImageError(code, f"{name} cannot be decoded: {error}.") from error
    return to_rgb(upright(picture))


def _from_array(array: NDArray[np.generic], max_pixels: int) -> Image.Image:
    shape = " x ".join(map(str, array.shape))
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        fix = "Give height x width, or height x width x 1, 3 or 4."
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            fix = "The channels must come last: use array.transpose(1, 2, 0)."
        raise ImageError("unreadable", f"An array of shape ({shape}) is not a picture.", fix)
    if 0 in array.shape:
        raise ImageError("empty", f"An array of shape ({shape}) has no pixels.")
    check_pixels((array.shape[1], array.shape[0]), max_pixels, "The array")
    return to_rgb(Image.fromarray(_eight_bit_array(array)))


def _eight_bit_array(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.uint16:
        return to_eight_bits(array, 65535.0)
    if array.dtype.kind != "f":
        raise ImageError(
            "unreadable",
            f"An array of {array.dtype} values is not a picture.",
            "Give uint8 (0..255), uint16 (0..65535) or floats (0..1).",
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):  # written so that NaN fails as well
        raise ImageError(
            "unreadable",
            f"An array of floats must hold values from 0 to 1, not {low:g} to {high:g}.",
            "Divide values of 0..255 by 255.",
        )
    return to_eight_bits(array, 1.0)
