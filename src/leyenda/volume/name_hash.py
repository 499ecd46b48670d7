"""Names of millions of inputs in 8 bytes each: who finds two of one hash has still to compare the names."""

from __future__ import annotations

import hashlib


def name_hash(name: bytes) -> int:
    """A number below 2**64 that follows from the name alone, in every process alike.

    >>> name_hash(b"a.jpg") == name_hash(b"a.jpg"), name_hash(b"a.jpg") == name_hash(b"b.jpg")
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
