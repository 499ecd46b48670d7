"""Two pictures that would share a file are found before the work, in memory of 16 bytes an input."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from leyenda.errors import ImageError, LeyendaError
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.name_hash import name_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IN_TWO_FOLDERS = "Write one file for all (-o captions.jsonl), or caption them in two runs, into two folders."


def refuse_collisions(
    inputs: Inputs, file_of: Callable[[Item], str], fix: Callable[[Item, Item], str]
) -> None:
    """Go through all inputs, and see that each has a file of its own, which is none of the other pictures.

    Args:
        inputs: the pictures.
        file_of: the file of an input; raises `ImageError` where there is none.
        fix: what to do about two pictures that share one.

    Raises:
        LeyendaError: two different pictures share one, with both names; or it is a picture of its own.
    """
    targets, pictures = array("Q"), array("Q")
    for item, file in _files(inputs, file_of):
        targets.append(_hash(file))
        if item.file is not None and not _is_itself(item, file):
            pictures.append(_hash(item.file))
    suspects = _repeated(targets) | _in_both(targets, pictures)
    if suspects:
        _compare(_files(inputs, file_of), suspects, fix)


def _compare(files: Iterator[tuple[Item, str]], suspects: set[int], fix: Callable[[Item, Item], str]) -> None:
    """Look closely at those whose hashes are not theirs alone."""
    writers: dict[str, Item] = {}
    pictures: dict[str, Item] = {}
    for item, file in files:
        if _hash(file) in suspects:
            before = writers.setdefault(os.path.abspath(file), item)
            if before.source != item.source:
                raise LeyendaError(
                    f"{before.name!r} and {item.name!r} would share the file {file!r}.", fix(before, item)
                )
        if item.file is not None and not _is_itself(item, file) and _hash(item.file) in suspects:
            pictures[os.path.abspath(item.file)] = item
    for path in writers.keys() & pictures.keys():
        raise LeyendaError(
            f"What is said of {writers[path].name!r} would be written over the picture {pictures[path].name!r}.",
            "Name another folder (--output FOLDER), or leave one of the two out.",
        )


def _files(inputs: Inputs, file_of: Callable[[Item], str]) -> Iterator[tuple[Item, str]]:
    for item in inputs.usable():
        try:
            yield item, file_of(item)
        except ImageError:  # it gets its reason when its turn comes
            continue


def _is_itself(item: Item, file: str) -> bool:
    return item.file is not None and os.path.abspath(item.file) == os.path.abspath(file)


def _hash(file: str) -> int:
    return name_hash(os.fsencode(os.path.abspath(file)))


def _numbers(hashes: array[int]) -> NDArray[np.uint64]:
    import numpy as np

    return np.frombuffer(hashes, np.uint64) if hashes else np.empty(0, np.uint64)


def _repeated(hashes: array[int]) -> set[int]:
    import numpy as np

    ordered = np.sort(_numbers(hashes))
    return {int(value) for value in ordered[1:][ordered[1:] == ordered[:-1]]}


def _in_both(some: array[int], others: array[int]) -> set[int]:
    import numpy as np

    return {int(value) for value in np.intersect1d(_numbers(some), _numbers(others))}
