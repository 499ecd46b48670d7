"""Two pictures that would share a file are found before the work, in memory of 8 bytes an input."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable

from leyenda.errors import ImageError, LeyendaError
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item


def refuse_collisions(inputs: Inputs, file_of: Callable[[Item], str], fix: str) -> None:
    """Go through all inputs, and see that each has a file of its own.

    Args:
        inputs: the pictures.
        file_of: the file of an input; raises `ImageError` where there is none.
        fix: what to do.

    Raises:
        LeyendaError: two different pictures share one, with both names.
    """
    hashes = array("Q")
    for item in inputs.usable():
        try:
            hashes.append(_hash(file_of(item)))
        except ImageError:  # it gets its reason when its turn comes
            continue
    twice = _repeated(hashes)
    if not twice:
        return
    first: dict[str, Item] = {}
    for item in inputs.usable():
        try:
            file = file_of(item)
        except ImageError:
            continue
        if _hash(file) not in twice:
            continue
        before = first.setdefault(os.path.abspath(file), item)
        if before.source != item.source:
            raise LeyendaError(f"{before.name!r} and {item.name!r} would share the file {file!r}.", fix)


def _hash(file: str) -> int:
    digest = hashlib.blake2b(os.fsencode(os.path.abspath(file)), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


def _repeated(hashes: array[int]) -> set[int]:
    import numpy as np

    ordered = np.sort(np.frombuffer(hashes, np.uint64)) if hashes else np.empty(0, np.uint64)
    return {int(value) for value in ordered[1:][ordered[1:] == ordered[:-1]]}
