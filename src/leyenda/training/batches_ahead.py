"""The next batches, made ready in the background while a step computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_AHEAD = 2
"""Batches ready or in the making. One covers the making while a step computes; the second, a slow picture in it."""

_END = object()


class BatchesAhead:
    """Reads an iterator in one thread of its own, a few items ahead, and gives them in its order.

    A thread and not a process: decoding, resizing and tokenizing let go of Python's lock, and what is kept in memory
    is kept once. What goes wrong there is raised where the item is taken.

    >>> ahead = BatchesAhead()
    >>> letters = iter("abc")
    >>> ahead.open(letters)
    >>> ahead.take(2), ahead.take(2)
    (['a', 'b'], ['c'])
    >>> ahead.close()
    """

    def __init__(self) -> None:
        self._source: Iterator[Any] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[Any]] = deque()

    def open(self, source: Iterator[Any]) -> None:
        """Read from here on, unless it is being read already."""
        if source is self._source:
            return
        self.close()
        self._source = source
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches-ahead")
        for _ in range(_AHEAD):
            self._read_one()

    def take(self, count: int) -> list[Any]:
        """The next items; fewer when the source has no more."""
        items: list[Any] = []
        while len(items) < count and self._waiting:
            item = self._waiting.popleft().result()
            if item is _END:
                break
            self._read_one()
            items.append(item)
        return items

    def close(self) -> None:
        """Stop reading; returns when the thread has."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._source, self._pool = None, None
        self._waiting.clear()

    def _read_one(self) -> None:
        assert self._pool is not None
        assert self._source is not None
        self._waiting.append(self._pool.submit(next, self._source, _END))
