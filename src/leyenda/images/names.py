"""Which files are taken for pictures, by their names."""

from __future__ import annotations

import os

PICTURE_EXTENSIONS = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"),
        *("avif", "heic", "heif", "jp2", "ppm", "pgm", "pbm", "ico", "tga"),
    )
)
"""In lower case. Whether a file is a picture in truth is found out when it is opened."""


def is_picture(name: str) -> bool:
    """Whether a file of this name is taken for a picture.

    >>> is_picture("photos/Dog.JPG"), is_picture("dog.txt")
    (True, False)
    """
    return os.path.splitext(name)[1].lower() in PICTURE_EXTENSIONS
