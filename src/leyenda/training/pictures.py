"""The pictures of a run: each opened once before training, the unusable ones named, the rest kept as tensors."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from tqdm import tqdm

from leyenda.data.examples import Examples
from leyenda.errors import ImageError
from leyenda.images import open_picture
from leyenda.models import CaptioningModel
from leyenda.records import Example, Skipped


def memory_budget() -> int:
    """Bytes of prepared pictures to keep in memory: a quarter of the machine's; the others are opened when needed."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError, OSError):
        return 1 << 30  # systems that do not tell


_AHEAD = 32

T = TypeVar("T")


class Pictures:
    """Prepared pictures by example id.

    Args:
        model: whose image processor prepares them.
        budget: most bytes to keep; None for `memory_budget`.
    """

    def __init__(self, model: CaptioningModel, budget: int | None = None) -> None:
        self._model = model
        self._budget = memory_budget() if budget is None else budget
        self._kept: dict[str, torch.Tensor] = {}

    def pixel_values(self, example: Example) -> torch.Tensor:
        """Float32 tensor `[3, height, width]` of the example's picture.

        Raises:
            ImageError: the picture cannot be used.
        """
        if example.id in self._kept:
            return self._kept[example.id]
        pixel_values = self._model.pixel_values([open_picture(example.image)])[0]
        size = pixel_values.element_size() * pixel_values.nelement()
        if size <= self._budget:
            self._budget -= size
            self._kept[example.id] = pixel_values
        return pixel_values

    def batch(self, examples: Sequence[Example]) -> torch.Tensor:
        """Float32 tensor `[len(examples), 3, height, width]`."""
        return torch.stack([self.pixel_values(example) for example in examples])


def usable(examples: Examples, pictures: Pictures) -> tuple[Examples, dict[str, Skipped]]:
    """Open every picture once, so that a broken one is named now and not in the middle of the night.

    Args:
        examples: any examples.
        pictures: keeps what is prepared here, within its budget.

    Returns:
        The examples that have a usable picture and at least one caption, and why each other one was left out.
    """
    skipped: dict[str, Skipped] = {}
    kept: list[int] = []

    def look(example: Example) -> Skipped | None:
        if not any(example.captions):
            return Skipped("no_caption", f"{example.origin}: {example.id!r} has no caption.")
        try:
            pictures.pixel_values(example)
        except ImageError as error:
            return Skipped(error.code, str(error))
        return None

    bar = tqdm(
        total=len(examples), desc="Reading pictures", unit="picture", delay=2, file=sys.stderr, leave=False
    )
    with ThreadPoolExecutor(max_workers=2) as pool, bar:
        for index, (example, problem) in enumerate(_in_order(pool, look, examples)):
            bar.update()
            if problem is None:
                kept.append(index)
            else:
                skipped[example.id] = problem
    return examples.select(kept), skipped


def _in_order(
    pool: ThreadPoolExecutor, look: Callable[[Example], T], examples: Iterable[Example]
) -> Iterator[tuple[Example, T]]:
    """`pool.map` that runs only a few pictures ahead, so that memory does not grow with the data."""
    waiting: deque[tuple[Example, Future[T]]] = deque()
    for example in examples:
        waiting.append((example, pool.submit(look, example)))
        if len(waiting) >= _AHEAD:
            first, result = waiting.popleft()
            yield first, result.result()
    for first, result in waiting:
        yield first, result.result()
