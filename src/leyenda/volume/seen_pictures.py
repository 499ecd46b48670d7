"""Pictures that were captioned already, so that the same picture is captioned once."""

from __future__ import annotations

from leyenda.records import Caption

REMEMBERED = 20_000
"""Pictures that are remembered; of a longer stream the oldest are forgotten, so that memory does not grow."""


class SeenPictures:
    """The last pictures that were captioned, by the digest of their encoded bytes.

    What it remembers depends on the order of the inputs alone, so that a run that is gone on with finds the same.

    >>> seen = SeenPictures()
    >>> seen.remember("0f", Caption("a dog", 0.5))
    >>> seen.find("0f").text
    'a dog'
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._captions: dict[str, tuple[str, float]] = {}

    def find(self, digest: str) -> Caption | None:
        """The caption of a picture with these bytes, or None."""
        found = self._captions.get(digest)
        return Caption(*found) if found else None

    def remember(self, digest: str, caption: Caption) -> None:
        """Keep what was said of a picture."""
        if digest and digest not in self._captions:
            if len(self._captions) >= self._size:
                del self._captions[next(iter(self._captions))]
            self._captions[digest] = (caption.text, caption.confidence)
