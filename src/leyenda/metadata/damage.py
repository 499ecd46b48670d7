"""What can be wrong with a picture file as a container of metadata."""

from __future__ import annotations


class Damaged(Exception):
    """The file's structure is broken.

    Args:
        code: the code of the `ImageError` that says so: `truncated`, `unreadable` or `metadata`.
        what: what is broken, in words that follow "is a damaged JPEG picture: ".
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


class NoRoom(Exception):
    """The packet is larger than the format allows. Its text says what the limit is."""
