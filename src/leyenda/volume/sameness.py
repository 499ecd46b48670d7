"""What pictures that count as the same have in common, as text that can stand in a journal."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from leyenda.records import PictureBytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leyenda.data.duplicates import Fingerprint

BYTES, NEAR = "bytes", "near"

_LOOKED_AT = 64
"""Pixels of the shorter side that a picture keeps at least, to be compared by eye."""


def picture_digest(picture: PictureBytes, prompt: str, kind: str, max_pixels: int) -> str:
    """The digest of a picture that can be opened.

    Args:
        picture: the encoded picture.
        prompt: that its caption goes on from.
        kind: `BYTES`: 128 bits of SHA-256 of the bytes and the prompt, in hexadecimal; `NEAR`: that, one of the prompt,
            the perceptual hash and the thumbnail, with colons between, or that alone for a picture without shapes.
        max_pixels: most pixels to decode.
    """
    digest = hashlib.sha256(picture.data)
    words = prompt.encode("utf-8", "surrogatepass")
    if prompt:
        digest.update(b"\0prompt\0" + words)
    exact = digest.hexdigest()[:32]
    if kind == BYTES:
        return exact
    from leyenda.data.duplicates import fingerprint
    from leyenda.images import open_picture

    seen = fingerprint(open_picture(picture, max_pixels=max_pixels, at_least=_LOOKED_AT))
    if seen.flat:
        return exact
    thumbnail = base64.b64encode(seen.thumbnail.tobytes()).decode()
    return f"{exact}:{hashlib.sha256(words).hexdigest()[:8]}:{seen.hash:016x}:{thumbnail}"


def hash_of(digest: str) -> int | None:
    """The perceptual hash in a digest; None where it has none."""
    return int(digest.split(":")[2], 16) if ":" in digest else None


def look_alike(first: str, second: str) -> bool:
    """Whether two digests are of pictures that are the same to the eye, with the same prompt."""
    from leyenda.data.duplicates import near_duplicates

    if ":" not in first or ":" not in second or first.split(":")[1] != second.split(":")[1]:
        return False
    return bool(near_duplicates([_fingerprint(first), _fingerprint(second)]))


def _fingerprint(digest: str) -> Fingerprint:
    import numpy as np

    from leyenda.data.duplicates import Fingerprint

    thumbnail: NDArray[np.uint8] = np.frombuffer(base64.b64decode(digest.split(":")[3]), np.uint8)
    return Fingerprint(hash_of(digest) or 0, thumbnail, False)
