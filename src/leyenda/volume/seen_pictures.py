"""Pictures that were captioned already, so that the same picture is captioned once."""

from __future__ import annotations

from leyenda.records import Caption, Skipped
from leyenda.volume.sameness import BYTES, NEAR, hash_of, look_alike

REMEMBERED = 20_000
"""Pictures that are remembered; of a longer stream the oldest are forgotten, so that memory does not grow."""


class Said:
    """What is said of a picture, as soon as it is known: its caption, without tokens, or why it has none."""

    __slots__ = ("_result",)

    def __init__(self, result: Caption | None = None) -> None:
        self._result: Caption | Skipped | None = None
        if result is not None:
            self.tell(result)

    def tell(self, result: Caption | Skipped) -> None:
        """Now it is known."""
        self._result = Caption(result.text, result.confidence) if isinstance(result, Caption) else result

    @property
    def result(self) -> Caption | Skipped:
        """The caption or the reason, once it is known."""
        assert self._result is not None
        return self._result


class SeenPictures:
    """The last pictures that were captioned, by the digest of their encoded bytes.

    What it remembers depends on the order of the inputs alone, so that a run that is gone on with finds the same.

    >>> seen = SeenPictures()
    >>> seen.remember("0f", Caption("a dog", 0.5))
    >>> seen.find("0f").result.text
    'a dog'
    """

    kind = BYTES
    """What counts as the same, for `leyenda.volume.sameness.picture_digest`."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._said: dict[str, Said] = {}

    def find(self, digest: str) -> Said | None:
        """What a picture with these bytes gets, or None where it is new."""
        return self._said.get(digest)

    def remember(self, digest: str, caption: Caption) -> None:
        """Keep what was said of a picture."""
        self.expect(digest, Said(caption))

    def expect(self, digest: str, said: Said) -> None:
        """Keep what will be said of a picture that is being captioned, so that it is not captioned again meanwhile."""
        if digest and digest not in self._said:
            if len(self._said) >= self._size:
                del self._said[next(iter(self._said))]
            self._said[digest] = said

    def forget(self, digest: str) -> None:
        """Picture and caption turned out not to go together."""
        self._said.pop(digest, None)


class NearPictures(SeenPictures):
    """As `SeenPictures`; pictures that are the same to the eye count as the same: re-encoded, resized, retouched."""

    kind = NEAR

    def __init__(self, size: int = REMEMBERED) -> None:
        super().__init__(size)
        import numpy as np

        self._hashes = np.zeros(size, np.uint64)
        self._digests = [""] * size
        self._written = 0

    def find(self, digest: str) -> Said | None:
        """As of `SeenPictures`; of several that are near, what the first one gets."""
        found, own = super().find(digest), hash_of(digest)
        if found is not None or own is None:
            return found
        import numpy as np

        from leyenda.data.duplicates import NEAR_DISTANCE, differing_bits

        apart = differing_bits(self._hashes[: self._written] ^ np.uint64(own))
        places = np.flatnonzero(apart <= NEAR_DISTANCE).tolist()
        for place in sorted(places, key=lambda place: (place - self._written) % self._size):
            known = self._digests[place]
            if look_alike(digest, known) and (said := super().find(known)) is not None:
                return said
        return None

    def expect(self, digest: str, said: Said) -> None:
        """As of `SeenPictures`."""
        new, own = digest not in self._said, hash_of(digest)
        super().expect(digest, said)
        if new and own is not None:
            place = self._written % self._size
            self._hashes[place], self._digests[place] = own, digest
            self._written += 1
