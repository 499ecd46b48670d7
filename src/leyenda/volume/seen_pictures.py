"""Pictures that were captioned already, so that the same picture is captioned once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from leyenda.records import Caption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leyenda.data.duplicates import Fingerprint
    from leyenda.records import PictureBytes

REMEMBERED = 20_000
"""Pictures that are remembered; of a longer stream the oldest are forgotten, so that memory does not grow."""

_LOOKED_AT = 64
"""Pixels of the shorter side that a picture keeps at least, to be compared by eye."""


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

    def digest(self, picture: PictureBytes, prompt: str, max_pixels: int) -> str:
        """What pictures that count as the same have in common, as text.

        Args:
            picture: a picture that can be opened.
            prompt: that its caption goes on from.
            max_pixels: most pixels to decode.
        """
        digest = hashlib.sha256(picture.data)
        if prompt:
            digest.update(b"\0prompt\0" + prompt.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:32]

    def find(self, digest: str) -> Caption | None:
        """The caption of a picture that is the same, or None."""
        found = self._captions.get(digest)
        return Caption(*found) if found else None

    def match(self, digest: str, among: Iterable[str]) -> str | None:
        """The first of some digests that is of the same picture, or None.

        Args:
            digest: of one picture.
            among: of others, that have no caption yet.
        """
        return digest if digest in among else None

    def remember(self, digest: str, caption: Caption) -> None:
        """Keep what was said of a picture."""
        if digest and digest not in self._captions:
            if len(self._captions) >= self._size:
                del self._captions[next(iter(self._captions))]
            self._captions[digest] = (caption.text, caption.confidence)


class NearPictures(SeenPictures):
    """As `SeenPictures`; pictures that are the same to the eye count as the same: re-encoded, resized, retouched.

    A digest is that of the bytes, one of the prompt, the perceptual hash and the thumbnail, with colons between; of a
    picture without shapes it is the first alone, and only the same bytes are the same.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        super().__init__(size)
        self._hashes = np.zeros(size, np.uint64)
        self._digests: list[str] = []
        self._written = 0

    def digest(self, picture: PictureBytes, prompt: str, max_pixels: int) -> str:
        """As of `SeenPictures`."""
        from leyenda.data.duplicates import fingerprint
        from leyenda.images import open_picture

        exact = super().digest(picture, prompt, max_pixels)
        seen = fingerprint(open_picture(picture, max_pixels=max_pixels, at_least=_LOOKED_AT))
        if seen.flat:
            return exact
        words = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{exact}:{words}:{seen.hash:016x}:{base64.b64encode(seen.thumbnail.tobytes()).decode()}"

    def find(self, digest: str) -> Caption | None:
        """As of `SeenPictures`; of several that are near, the one that was captioned first."""
        found = super().find(digest)
        if found is not None or ":" not in digest:
            return found
        from leyenda.data.duplicates import NEAR_DISTANCE, differing_bits

        held = min(self._written, self._size)
        apart = differing_bits(self._hashes[:held] ^ _hash_of(digest))
        places = np.flatnonzero(apart <= NEAR_DISTANCE)
        oldest = self._written % self._size if held == self._size else 0
        for place in sorted(places.tolist(), key=lambda place: (place - oldest) % self._size):
            if _alike(digest, self._digests[place]):
                return super().find(self._digests[place])
        return None

    def match(self, digest: str, among: Iterable[str]) -> str | None:
        """As of `SeenPictures`."""
        return super().match(digest, among) or next((other for other in among if _alike(digest, other)), None)

    def remember(self, digest: str, caption: Caption) -> None:
        """As of `SeenPictures`."""
        new = digest not in self._captions
        super().remember(digest, caption)
        if not new or ":" not in digest:
            return
        place = self._written % self._size
        self._hashes[place] = _hash_of(digest)
        self._digests[place : place + 1] = [digest]
        self._written += 1


def _hash_of(digest: str) -> np.uint64:
    return np.uint64(int(digest.split(":")[2], 16))


def _alike(first: str, second: str) -> bool:
    from leyenda.data.duplicates import near_duplicates

    if ":" not in first or ":" not in second or first.split(":")[1] != second.split(":")[1]:
        return False
    return bool(near_duplicates([_fingerprint(first), _fingerprint(second)]))


def _fingerprint(digest: str) -> Fingerprint:
    from leyenda.data.duplicates import Fingerprint

    thumbnail: NDArray[np.uint8] = np.frombuffer(base64.b64decode(digest.split(":")[3]), np.uint8)
    return Fingerprint(int(_hash_of(digest)), thumbnail, False)
