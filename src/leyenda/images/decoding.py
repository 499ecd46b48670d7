"""Encoded bytes become a decoded picture, and whatever is wrong with them becomes an `ImageError`."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image

from leyenda.errors import ImageError
from leyenda.images.formats import DECODERS, picture_format, what_it_is_instead

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
            "Make it smaller, or raise max_pixels if you trust it.",
        )


def decode(data: bytes, max_pixels: int, name: str) -> Image.Image:
    """Decode the first frame of a picture, in the mode of the file.

    Args:
        data: the encoded picture.
        max_pixels: most pixels (width x height) to accept.
        name: what messages call it.

    Raises:
        ImageError: with the code that says what is wrong with the bytes.
    """
    format_name, picture = read_header(data, name)
    check_pixels(picture.size, max_pixels, name)
    with _damage_is_image_error(data, format_name, name):
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
        with _quiet_pillow:
            yield
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", f"{name} is too large: {error}") from error
    except MemoryError as error:
        raise ImageError("too_large", f"{name} needs more memory than there is.") from error
    except Exception as error:
        # Damaged bytes make decoders raise nearly anything; all of it means that this picture is damaged.
        if _ends_early(data, format_name, error):
            raise ImageError(
                "truncated",
                f"{name} is a {format_name} picture that ends too early, after {len(data):,} bytes.",
                "Copy or download it again.",
            ) from error
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ImageError(
            "unreadable", f"{name} is a damaged {format_name} picture ({reason}).", "Replace or remove it."
        ) from error


def _ends_early(data: bytes, format_name: str, error: BaseException) -> bool:
    """Whether the bytes stop before the picture does, by what the format says of its own length.

    Decoders report a missing end in many words, and damage in the middle sometimes in the same words.
    """
    if format_name == "PNG":
        return b"IEND" not in data[-32:]
    if format_name == "GIF":
        return not data.rstrip(b"\0").endswith(b";")
    if format_name == "WebP":
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    if format_name == "JPEG":
        return b"\xff\xd9" not in data[-64:]
    hints = ("truncated", "not enough", "eof", "read past")
    return isinstance(error, EOFError) or any(hint in str(error).lower() for hint in hints)


class _QuietPillow:
    """While any thread is inside, warnings that come from Pillow's modules are not shown.

    Pillow warns about odd metadata of pictures that decode well. `warnings.catch_warnings` would do, but it
    swaps the process's list of filters, and two threads that overlap leave the wrong list behind; so one
    filter is added when the first thread enters, and that same filter is removed when the last one leaves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                warnings.filterwarnings("ignore", module=r"PIL\.")
                self._filter = warnings.filters[0]

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            # A host program may have swapped the list in between; then the filter went with it.
            if self._inside == 0 and self._filter in warnings.filters:
                warnings.filters.remove(self._filter)  # type: ignore[attr-defined]


_quiet_pillow = _QuietPillow()
