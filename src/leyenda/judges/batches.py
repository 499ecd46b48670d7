"""Texts and pictures go through a model some at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

from leyenda.errors import JudgeError
from leyenda.metrics.corpus import Floats

Item = TypeVar("Item")


def in_batches(
    items: Sequence[Item], size: int, compute: Callable[[Sequence[Item]], Floats], doing: str
) -> Iterator[tuple[Item, Floats]]:
    """Every item with the row that `compute` makes of it; a progress bar appears when it takes long.

    Args:
        items: in the order in which they are taken.
        size: how many at a time.
        compute: as many rows as it is given items.
        doing: what the progress bar says.

    Raises:
        JudgeError: the memory is too small for so many together.
    """
    with tqdm(total=len(items), desc=doing, delay=2, file=sys.stderr, leave=False) as bar:
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            yield from zip(batch, _within_memory(compute, batch), strict=True)
            bar.update(len(batch))


def by_length(texts: Sequence[str]) -> list[str]:
    """The different texts in an order of their own, so that no score depends on the order of the images.

    >>> by_length(["bb", "a", "c", "a"])
    ['a', 'c', 'bb']
    """
    return sorted(set(texts), key=lambda text: (len(text), text))


def _within_memory(compute: Callable[[Sequence[Item]], Floats], batch: Sequence[Item]) -> Floats:
    import torch

    from leyenda.models.memory import is_out_of_memory

    try:
        with torch.inference_mode():
            return compute(batch)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise JudgeError(
            f"The memory is too small for {len(batch)} texts or pictures together.",
            f"Use a batch size below {len(batch)}."
            if len(batch) > 1
            else "Use a smaller model, or --device cpu.",
        ) from error
