"""Bytes, files, URLs and arrays become RGB pictures."""

from leyenda.images.fetching import DEFAULT_MAX_BYTES, DEFAULT_TIMEOUT, fetch
from leyenda.images.measuring import PictureHeader, measure_picture
from leyenda.images.opening import DEFAULT_MAX_PIXELS, PictureLike, open_picture

__all__ = [
    "DEFAULT_MAX_BYTES",
    "DEFAULT_MAX_PIXELS",
    "DEFAULT_TIMEOUT",
    "PictureHeader",
    "PictureLike",
    "fetch",
    "measure_picture",
    "open_picture",
]
