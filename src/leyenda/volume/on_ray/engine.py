"""The engine of a cluster: Ray Data reads, workers caption, and results come back in the order of the inputs."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError

from leyenda.errors import CaptionError, LeyendaError
from leyenda.images import DEFAULT_MAX_PIXELS
from leyenda.inference.captioner import batch_size_on, say
from leyenda.records import Caption, Skipped
from leyenda.text_control import PromptTemplate
from leyenda.volume.engine import Outcome, Task
from leyenda.volume.item import Item
from leyenda.volume.on_ray.cluster import Cluster
from leyenda.volume.on_ray.failure import Failure
from leyenda.volume.on_ray.reading import Place, Prompted, Reader, Reading, make_ready
from leyenda.volume.on_ray.workers import TRIES, Captioned, Pool
from leyenda.volume.seen_pictures import SeenPictures
from leyenda.volume.window import Window, windows

_BATCHES_READ = 32
"""Batches for each worker in the largest portion that is read at a time."""

_BATCHES_FIRST = 4
"""Batches for each worker in the first portion."""

_PICTURES_READ = 2048
"""A portion of more pictures has no more than two batches for each worker: all of it is in the cluster's memory."""

_WAITING = 8
"""Groups for each worker that may be captioned while an earlier one is not, since they are given in order."""


class RayEngine:
    """Captions with the workers of a Ray cluster.

    Args:
        options: as for `leyenda.Captioner.from_pretrained`, with the checkpoint's name as `model`.
        seen: what was said of pictures with the same bytes; None captions each picture anew.
        address: of a running cluster; None starts one on this machine.
        workers: how many models; None takes one for each GPU, or one where there is none.

    Raises:
        LeyendaError: no cluster, too few GPUs, a model that a worker cannot load.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        seen: SeenPictures | None,
        *,
        address: str | None = None,
        workers: int | None = None,
    ) -> None:
        self._seen = seen
        self._closing = contextlib.ExitStack()
        cluster = self._closing.enter_context(Cluster(address))
        try:
            share = cluster.share(workers, options.get("device"))
            self.workers = share.workers
            self._batch = batch_size_on("cuda" if share.gpus else "cpu", options.get("batch_size"))
            with _plain_errors("load the model"):
                self._pool = Pool(share, options)
                make_ready(share.reading)
                reading = Reading(
                    self._pool.model_input(),
                    options.get("max_pixels", DEFAULT_MAX_PIXELS),
                    options.get("exact_decode", False),
                    seen.kind if seen is not None else "",
                    os.getcwd(),
                )
            self._prompt = PromptTemplate(options["prompt"]) if options.get("prompt") is not None else None
            shared = address is not None
            self._reader = Reader(reading, self._prompts, share.reading, shared=shared)
        except BaseException:
            self.close()
            raise

    def groups(self, tasks: Iterator[Task], stopping: Callable[[], bool]) -> Iterator[Sequence[Outcome]]:
        """As `leyenda.volume.engine.Engine.groups`; the groups are those of the plain engine."""
        each = self._batch * self.workers
        largest = max(2 * each, min(_BATCHES_READ * each, _PICTURES_READ))
        read = self._reader.read(tasks, min(_BATCHES_FIRST * each, largest), largest)
        with contextlib.closing(read), _plain_errors("caption"):
            going_on = itertools.takewhile(lambda _: not stopping(), read)
            yield from self._captioned(windows(going_on, self._batch, self._seen), stopping)

    def _captioned(
        self, source: Iterator[Window[Place]], stopping: Callable[[], bool]
    ) -> Iterator[Sequence[Outcome]]:
        """Keep every worker busy, and give what is done, in order."""
        pool = self._pool
        sent: deque[tuple[Window[Place], Any]] = deque()
        at_most, more = _WAITING * self.workers, True
        while more or sent:
            if sent and (sent[0][1] is None or pool.is_there(sent[0][1])):
                window, answer = sent.popleft()
                yield window.outcomes(() if answer is None else _results(answer))
            elif more and pool.has_room() and len(sent) < at_most:
                found = next(source, None)
                if found is None or stopping():
                    more = False
                else:
                    sent.append((found, pool.send(found.pictures) if found.pictures else None))
            else:
                pool.wait()

    def _prompts(self, items: Sequence[Item]) -> list[Prompted]:
        if self._prompt is None:
            return [Prompted()] * len(items)
        filled = [self._filled(self._prompt, item) for item in items]
        refusals = self._pool.refusals([prompted.words for prompted in filled])
        return [
            prompted if prompted.refusal is not None else Prompted(prompted.words, refusal)
            for prompted, refusal in zip(filled, refusals, strict=True)
        ]

    def _filled(self, prompt: PromptTemplate, item: Item) -> Prompted:
        try:
            return Prompted(prompt.fill(item.columns))
        except CaptionError as error:
            return Prompted("", Skipped(error.code, str(error)))

    def close(self) -> None:
        """End the workers and leave the cluster."""
        self._closing.close()


def _results(answer: Any) -> Sequence[Caption | Skipped]:
    captioned = ray.get(answer)
    if isinstance(captioned, Failure):
        raise captioned.error()
    assert isinstance(captioned, Captioned)
    for line in captioned.talk:
        say(line)
    return captioned.results


@contextlib.contextmanager
def _plain_errors(purpose: str) -> Iterator[None]:
    """What Ray says in many lines, in one."""
    try:
        yield
    except OutOfMemoryError as error:
        raise LeyendaError(
            f"The memory of a machine is too small for the workers to {purpose}; Ray ended one {TRIES} times.",
            "Use fewer --workers, or a smaller --batch-size.",
        ) from error
    except RayError as error:
        lines = [line for line in str(error).strip().splitlines() if line.strip()] or [type(error).__name__]
        raise LeyendaError(
            f"Ray could not {purpose}: {lines[-1].strip().rstrip('.')}.",
            "What was captioned is kept: run the command again. --debug shows all that Ray says.",
        ) from error
