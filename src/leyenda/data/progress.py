"""A bar on standard error for what takes more than a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steps(what: str, total: int) -> Iterator[Callable[[], object]]:
    """A progress bar that appears after a second, on a terminal only, and is gone when the work is done.

    Args:
        what: the work, in words.
        total: number of steps.

    Yields:
        What to call after each step.
    """
    from tqdm import tqdm

    with tqdm(desc=what, total=total, delay=1.0, disable=None, leave=False) as bar:
        yield bar.update
