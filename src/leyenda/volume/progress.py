"""How far a run is: a bar on a terminal, lines in a log, events for programs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from leyenda.volume.entry import LOW_CONFIDENCE, Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.json_line import json_line
from leyenda.volume.run import VolumeRun

LOG_EVERY_S = 30.0
EVENT_EVERY_S = 1.0


class Progress(Protocol):
    """Is told of each input."""

    def entry(self, entry: Entry) -> None:
        """One more is done."""

    def close(self) -> None:
        """The run has ended."""


class Pace:
    """How far a run is, how fast, and how long it will take.

    Args:
        run: the run.
    """

    def __init__(self, run: VolumeRun) -> None:
        self.run = run
        self._started = time.monotonic()
        self._total = _TotalCount(run.inputs)

    @property
    def total(self) -> int | None:
        """All inputs, as soon as they are counted."""
        return self._total.value

    def rate(self) -> float:
        """Pictures a second, of those done since the start of this process."""
        done = self.run.totals.inputs - self.run.done_before
        return done / max(time.monotonic() - self._started, 1e-9)

    def seconds_left(self) -> float | None:
        """How long it will take, as far as is known."""
        rate = self.rate()
        if self.total is None or not rate:
            return None
        return max(0, self.total - self.run.totals.inputs) / rate

    def as_json(self) -> dict[str, object]:
        """For programs."""
        left = self.seconds_left()
        return {
            **self.run.totals.as_json(),
            "done_before": self.run.done_before,
            "total": self.total,
            "pictures_per_second": round(self.rate(), 3),
            "seconds_left": None if left is None else round(left, 1),
        }

    def as_text(self) -> str:
        """For people."""
        totals = self.run.totals
        of_all = f" of {self.total:,}" if self.total is not None else ""
        parts = [f"{totals.inputs:,}{of_all} pictures", f"{totals.failed:,} failed"]
        parts.append(f"{self.rate():.1f} pictures/s")
        if (left := self.seconds_left()) is not None:
            parts.append(f"{duration(left)} left")
        return ", ".join(parts)


class _TotalCount:
    """Counts the inputs while the work goes on."""

    def __init__(self, inputs: Inputs) -> None:
        self.value: int | None = None
        self._inputs = inputs
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        try:
            self.value = self._inputs.count()
        except Exception:  # the run itself meets the same, and says it
            return


class Bar:
    """A bar on standard error.

    Args:
        pace: of the run.
        after_s: seconds that a run must last before it is drawn.
    """

    def __init__(self, pace: Pace, after_s: float = 2.0) -> None:
        from tqdm import tqdm

        self._pace = pace
        self._bar: Any = tqdm(
            total=None, unit=" pictures", delay=after_s, file=sys.stderr, dynamic_ncols=True
        )

    def entry(self, entry: Entry) -> None:
        """Move the bar."""
        if self._bar.total is None and self._pace.total is not None:
            self._bar.total = self._pace.total
        if not self._bar.n and self._pace.run.done_before:
            self._bar.initial = self._bar.n = self._pace.run.done_before
        if entry.error is not None:
            self._bar.set_postfix_str(f"{self._pace.run.totals.failed:,} failed", refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


class LogLines:
    """A line now and then, where no terminal is.

    Args:
        pace: of the run.
        say: prints a line.
        every_s: seconds between two lines.
    """

    def __init__(self, pace: Pace, say: Callable[[str], object], every_s: float = LOG_EVERY_S) -> None:
        self._pace = pace
        self._say = say
        self._every = every_s
        self._next = time.monotonic() + every_s
        self._said = False

    def entry(self, entry: Entry) -> None:
        """Perhaps it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self._said = True
            self._say(self._pace.as_text())

    def close(self) -> None:
        """The last state, where there was talk of it before."""
        if self._said:
            self._say(self._pace.as_text())


class Events:
    """JSON objects, one a line: `start`, `failed` for each input without caption, `progress`, `done` or `stopped`.

    Args:
        pace: of the run.
        say: prints a line.
    """

    def __init__(self, pace: Pace, say: Callable[[str], object]) -> None:
        self._pace = pace
        self._say = say
        self._next = time.monotonic()
        self._tell("start", {"output": pace.run.output.summary(), "journal": str(pace.run.journal.path)})

    def entry(self, entry: Entry) -> None:
        """A failure is told at once, the rest now and then."""
        if entry.error is not None and entry.error.code != LOW_CONFIDENCE:
            self._tell("failed", entry.public())
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVENT_EVERY_S
            self._tell("progress", self._pace.as_json())

    def close(self) -> None:
        """How it ended."""
        self._tell("done" if self._pace.run.finished else "stopped", self._pace.as_json())

    def _tell(self, event: str, values: dict[str, object]) -> None:
        self._say(json_line({"event": event, **values}))


def watched(run: VolumeRun, progress: Progress) -> Iterator[Entry]:
    """The entries of a run, of which `progress` is told."""
    try:
        for entry in run:
            progress.entry(entry)
            yield entry
    finally:
        progress.close()


def duration(seconds: float) -> str:
    """A time in the largest units that say enough.

    >>> duration(42), duration(400), duration(200_000)
    ('42 s', '7 min', '2 d 8 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{hours // 24} d {hours % 24} h"
