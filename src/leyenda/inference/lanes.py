"""Several batches at the same time on the cores of a CPU, each in a thread of its own with its share of them.

Threads that share a matrix product wait for the slowest of them behind each one, and a caption takes thousands of
products; where anything else uses a core, all wait for it. Threads with a batch each wait for nobody.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch

from leyenda.inference.ahead import in_order_ahead
from leyenda.models import CaptioningModel

_MOST_LANES = 4
"""Each has a batch in memory, and all share the Python between their products."""

Batch = TypeVar("Batch")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lanes:
    """How batches share the cores.

    Args:
        count: batches at the same time.
        threads: that each one computes with.
    """

    count: int = 1
    threads: int = 1

    @classmethod
    def suiting(cls, model: CaptioningModel) -> Lanes:
        """Those for a model: one where it is not on a CPU, or where `transformers` searches, which shares nothing."""
        if model.device.type != "cpu" or not model.searches_itself:
            return cls()
        return cls.of(torch.get_num_threads())

    @classmethod
    def of(cls, threads: int) -> Lanes:
        """Divide the threads that this process may compute with.

        >>> Lanes.of(1), Lanes.of(2), Lanes.of(16)
        (Lanes(count=1, threads=1), Lanes(count=2, threads=1), Lanes(count=4, threads=4))
        """
        count = min(_MOST_LANES, threads)
        return cls(count, threads // count)

    def in_order(
        self, work: Callable[[Batch], Result], batches: Iterable[Batch]
    ) -> Iterator[tuple[Batch, Result]]:
        """Like `map`, with the next batches being worked on while the caller uses the last result.

        A single batch has all cores, in the caller's thread.

        Args:
            work: what is done to a batch.
            batches: read in the caller's thread, at most one more than there are lanes.

        Yields:
            Each batch with its result, in order.

        >>> list(Lanes(2).in_order(len, ["a", "bcd", "ef"]))
        [('a', 1), ('bcd', 3), ('ef', 2)]
        """
        rest = iter(batches)
        first = list(itertools.islice(rest, 2 if self.count > 1 else 0))
        every = itertools.chain(first, rest)
        if len(first) < 2:
            yield from ((batch, work(batch)) for batch in every)
            return
        before = torch.get_num_threads()
        results = in_order_ahead(
            work,
            every,
            ahead=self.count,
            threads=self.count,
            begin=lambda: torch.set_num_threads(self.threads),
            patience=None,  # it cannot be cut short, and takes no longer than a batch
        )
        try:
            with contextlib.closing(results):
                yield from results
        finally:
            torch.set_num_threads(before)  # threads that begin later take the number that was set last
