"""Pictures that were captioned already, so that the same picture is captioned once."""

from __future__ import annotations

from leyenda.records import Caption, Skipped

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
