"""The pictures of a run: each opened once before training, the unusable ones named, the rest kept as tensors."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from tqdm import tqdm

from leyenda.data.examples import Examples
from leyenda.errors import ImageError
from leyenda.images import DEFAULT_MAX_PIXELS
from leyenda.images.opening import read_bytes
from leyenda.models import CaptioningModel
from leyenda.records import Example, Skipped
from leyenda.training.processes import ALONE, Processes


def memory_budget(processes: Processes = ALONE) -> int:
    """Bytes of prepared pictures to keep in memory: a quarter of the machine's; the others are opened when needed.

    Args:
        processes: those on one machine share its memory.
    """
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError, OSError):
        whole = 1 << 30  # systems that do not tell
    return whole // processes.local_count


_AHEAD = 32

_MOST_BYTES = 16 * DEFAULT_MAX_PIXELS
"""No format spends more on a picture that may be opened."""

T = TypeVar("T")


class Pictures:
    """Prepared pictures by example id.

    They are kept as bytes wherever the model's preparation allows it, which is a quarter of what they take as numbers.

    Args:
        model: prepares them.
        budget: most bytes to keep; None for `memory_budget`.
        exact_decode: decode every pixel of large JPEGs.
    """

    def __init__(
        self, model: CaptioningModel, budget: int | None = None, *, exact_decode: bool = False
    ) -> None:
        self._model = model
        self._budget = memory_budget() if budget is None else budget
        self._exact_decode = exact_decode
        self._kept: dict[str, torch.Tensor] = {}

    def opened(self, example: Example) -> torch.Tensor:
        """The example's picture as `CaptioningModel.open` gives it: uint8 or float32 `[3, height, width]`.

        Raises:
            ImageError: the picture cannot be used.
        """
        if example.id in self._kept:
            return self._kept[example.id]
        pixels = self.prepared(encoded(example), example)
        size = pixels.element_size() * pixels.nelement()
        if size <= self._budget:
            self._budget -= size
            self._kept[example.id] = pixels
        return pixels

    def prepared(self, data: bytes, example: Example) -> torch.Tensor:
        """As `opened`, but nothing is kept.

        Args:
            data: the bytes of the picture's file.
            example: whose picture it is, for the message.

        Raises:
            ImageError: the picture cannot be used.
        """
        try:
            return self._model.open(data, exact_decode=self._exact_decode)
        except ImageError:
            self._model.open(example.image)  # fails as well, and its message names the file
            raise

    def preparation(self) -> dict[str, Any]:
        """Everything that decides how a picture becomes pixel values, as JSON values."""
        exact = self._exact_decode or self._model.preparation is None
        return {"processor": self._model.image_processor.to_dict(), "exact_decode": exact}

    def inputs(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """What the model takes of these pictures.

        Returns:
            `pixel_values`: tensor `[len(examples), 3, height, width]` on the CPU: float32, or, on the way to another
            device, the bytes that `CaptioningModel.normalized` makes numbers of there.
        """
        pixels = torch.stack([self.opened(example) for example in examples])
        on_its_way = self._model.device.type != "cpu"
        return {"pixel_values": pixels if on_its_way else self._model.normalized(pixels)}


def encoded(example: Example) -> bytes:
    """The bytes of the example's picture file.

    Raises:
        ImageError: they cannot be read.
    """
    return read_bytes(example.image, max_bytes=_MOST_BYTES)[0]


def no_caption(example: Example) -> Skipped | None:
    """Why an example without a caption is left out; None for the others."""
    if any(example.captions):
        return None
    return Skipped("no_caption", f"{example.origin}: {example.id!r} has no caption.")


def usable(
    examples: Examples, pictures: Pictures, processes: Processes = ALONE
) -> tuple[Examples, dict[str, Skipped]]:
    """Open every picture once, so that a broken one is named now and not in the middle of the night.

    Args:
        examples: any examples.
        pictures: keeps what is prepared here, within its budget.
        processes: each opens its share of the pictures.

    Returns:
        The examples that have a usable picture and at least one caption, and why each other one was left out.
    """

    def look(example: Example) -> Skipped | None:
        if problem := no_caption(example):
            return problem
        try:
            pictures.opened(example)
        except ImageError as error:
            return Skipped(error.code, str(error))
        return None

    def look_at_share() -> dict[int, Skipped]:
        own, numbers = processes.share(examples), processes.share(range(len(examples)))
        bar = tqdm(
            total=len(own), desc="Reading pictures", unit="picture", delay=2, file=sys.stderr, leave=False
        )
        with ThreadPoolExecutor(max_workers=2) as pool, bar:
            problems = {}
            for number, (_, problem) in zip(numbers, in_order(pool, look, own), strict=True):
                bar.update()
                if problem is not None:
                    problems[number] = problem
        return problems

    problems = {
        number: problem for part in processes.gathered(look_at_share) for number, problem in part.items()
    }
    kept = [number for number in range(len(examples)) if number not in problems]
    return examples.select(kept), {examples[number].id: problems[number] for number in sorted(problems)}


def in_order(
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
