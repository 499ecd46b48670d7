"""Sides of a comparison, each in a process of its own, that work one after the other and never at the same time.

A side gets ready, then waits. Whenever the parent gives it a turn it does a fixed piece of work and waits again. So
both sides see the same machine within seconds of one another, neither disturbs the other's threads or memory, and a
training run can be one side: it is held between two of its steps.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.dummy
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Work:
    """What a side did in one turn.

    Args:
        units: how many images (captions, runs, ...).
        flops: floating-point operations that this work needs, however many were really done.
        notes: anything else to keep: captions, tokens, counts.
        seconds: wall clock, filled in by `Turns`.
        memory_before: bytes in use when the turn began, resident or, where there is one, of the GPU; filled in by
            `Turns`.
        memory_peak: most of them during the turn, filled in by `Turns`.
    """

    units: float
    flops: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    memory_before: int = 0
    memory_peak: int = 0


class Side(Protocol):
    """One of the things that are compared."""

    @property
    def label(self) -> str:
        """What it is, for people."""

    @property
    def number_format(self) -> str:
        """`fp32`, `bf16`, `int8`: which matrix-product rate its work is held against."""

    def run(self, turns: Turns) -> None:
        """Get ready, then work in turns: `turns.begin()`, the work, `turns.end(Work(...))`, again and again."""


class NoMoreTurns(BaseException):
    """All turns are over. Not an `Exception`, so that nothing between here and a training loop's end keeps it."""


class Turns:
    """A side's end of the line to the parent."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._started = 0.0
        self._before = 0

    def begin(self) -> None:
        """Say that this side is ready, wait for its turn, start the clock.

        Raises:
            NoMoreTurns: there is none left.
        """
        self._line.send(None)
        if not self._line.recv():
            raise NoMoreTurns
        _forget_peak_memory()
        self._before = _memory_now()
        self._started = time.perf_counter()

    def end(self, work: Work) -> None:
        """Stop the clock and hand in what was done."""
        seconds = time.perf_counter() - self._started
        measured = replace(
            work,
            seconds=work.seconds or seconds,
            memory_before=work.memory_before or self._before,
            memory_peak=work.memory_peak or _memory_peak(),
        )
        self._line.send(measured)


@dataclass(frozen=True)
class _Failure:
    """Says that a side ended with an exception, which its process prints."""

    words: str


class Player:
    """A side in its process, as the parent sees it: ready when made.

    Args:
        side: who plays.
        in_thread: play in a thread of this process instead: no memory of its own, but ready at once.
    """

    def __init__(self, side: Side, *, in_thread: bool = False) -> None:
        context: Any = multiprocessing.dummy if in_thread else multiprocessing.get_context("spawn")
        self.side = side
        self._line, other = context.Pipe()
        self._process = context.Process(target=_play, args=(side, other))
        self._process.start()
        if not in_thread:
            other.close()
        self._receive()

    def turn(self) -> Work:
        """One turn, from its start until the side is ready for the next."""
        self._line.send(True)
        work = self._receive()
        self._receive()
        assert isinstance(work, Work)
        return work

    def finish(self) -> None:
        """No more turns: the process ends."""
        if self._process.is_alive():
            with contextlib.suppress(BrokenPipeError):
                self._line.send(False)
        self._process.join()

    def _receive(self) -> Any:
        try:
            said = self._line.recv()
        except EOFError:
            said = _Failure("its process was killed")
        if isinstance(said, _Failure):
            self._process.join()
            raise SystemExit(f"{self.side.label}: {said.words}")
        return said


def _play(side: Side, line: Connection) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        side.run(Turns(line))
    except NoMoreTurns:
        pass
    except BaseException as error:
        line.send(_Failure(f"{type(error).__name__}: {error}"))
        raise


def _gpu() -> Any:
    """`torch.cuda`, where this process uses a GPU."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def _memory_now() -> int:
    return int(gpu.memory_allocated()) if (gpu := _gpu()) else _memory("VmRSS")


def _memory_peak() -> int:
    return int(gpu.max_memory_allocated()) if (gpu := _gpu()) else _memory("VmHWM")


def _memory(name: str) -> int:
    """`VmRSS` (resident now) or `VmHWM` (most since the last reset) of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}: memory is measured on Linux only.")


def _forget_peak_memory() -> None:
    if gpu := _gpu():
        gpu.reset_peak_memory_stats()
    Path("/proc/self/clear_refs").write_text("5")
