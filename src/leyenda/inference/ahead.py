"""Work on a stream in threads, a bounded number of inputs ahead, with the results in order."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_MOST_THREADS = 16

_PATIENCE = 5.0
"""Seconds in which threads may end what they are doing. A decoder that the interpreter's end meets at work aborts the
whole process; a server that never answers must not keep it."""

Input = TypeVar("Input")
Output = TypeVar("Output")


def reading_threads() -> int:
    """How many threads read and decode pictures: one for each core that this process may use, at most 16.

    On a CPU they compete with the model for the cores, but what they do has to be done on them anyway: one thread
    alone leaves the model waiting wherever decoding takes longer than captioning.
    """
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    return min(_MOST_THREADS, os.cpu_count() or 1)


def in_order_ahead(
    work: Callable[[Input], Output],
    inputs: Iterable[Input],
    *,
    ahead: int,
    threads: int,
    begin: Callable[[], object] = lambda: None,
    patience: float | None = _PATIENCE,
) -> Generator[tuple[Input, Output], None, None]:
    """Like `map`, but `work` runs in threads on the next inputs while the caller uses the last result.

    Args:
        work: what is done to each input; other inputs are worked on at the same time.
        inputs: read in the caller's own thread, at most `ahead` further than the results that were given.
        ahead: most inputs that are waiting, being worked on, or done and not asked for.
        threads: that work at the same time; none is started before there is an input for it.
        begin: called by each thread before its first input.
        patience: seconds that threads have at the end for what they are doing; None waits until they have done it.

    Yields:
        Each input with its result, in order.

    Raises:
        BaseException: what `work` raised, in place of that input's result. Inputs after it are left.

    >>> list(in_order_ahead(len, ["a", "bcd"], ahead=2, threads=2))
    [('a', 1), ('bcd', 3)]
    """
    tasks: SimpleQueue[tuple[Input, Future[Output]] | None] = SimpleQueue()
    waiting: deque[tuple[Input, Future[Output]]] = deque()
    serving: list[threading.Thread] = []
    try:
        for item in inputs:
            waiting.append((item, Future()))
            tasks.put(waiting[-1])
            if len(serving) < min(threads, len(waiting)):
                # Daemons: who presses Ctrl-C does not wait long for a slow disk or server.
                serving.append(threading.Thread(target=_serve, args=(begin, work, tasks), daemon=True))
                serving[-1].start()
            if len(waiting) > ahead:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        for _, future in waiting:
            future.cancel()
        for _ in serving:
            tasks.put(None)
        _wait_for(serving, patience)


def _wait_for(serving: list[threading.Thread], patience: float | None) -> None:
    end = None if patience is None else time.monotonic() + patience
    for thread in serving:
        thread.join(None if end is None else max(0.0, end - time.monotonic()))


def _first(waiting: deque[tuple[Input, Future[Output]]]) -> tuple[Input, Output]:
    item, future = waiting.popleft()
    return item, future.result()


def _serve(
    begin: Callable[[], object],
    work: Callable[[Input], Output],
    tasks: SimpleQueue[tuple[Input, Future[Output]] | None],
) -> None:
    begin()
    while (task := tasks.get()) is not None:
        item, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(item))
        except BaseException as error:
            future.set_exception(error)  # raised where the result is asked for
        del item, future, task  # a thread that waits keeps no picture
