"""The engine of one machine: threads read and prepare pictures while the model captions the ones before."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from leyenda.inference.ahead import in_order_ahead, reading_threads
from leyenda.records import Caption, PictureRow, Skipped
from leyenda.volume.engine import Outcome, Task
from leyenda.volume.reading import read_and_open
from leyenda.volume.seen_pictures import SeenPictures
from leyenda.volume.window import Ready, Window, windows

if TYPE_CHECKING:
    from leyenda.inference import Captioner
    from leyenda.inference.captioner import Prepared


class PlainEngine:
    """Captions with one model in this process.

    Args:
        captioner: the model and how captions are searched for; a group has as many pictures as its batch.
        seen: captions of pictures with the same bytes; None captions each picture anew.
    """

    def __init__(self, captioner: Captioner, seen: SeenPictures | None) -> None:
        self.captioner = captioner
        self._seen = seen

    def groups(self, tasks: Iterator[Task], stopping: Callable[[], bool]) -> Iterator[Sequence[Outcome]]:
        """As `leyenda.volume.engine.Engine.groups`; a group is full when it has a batch of pictures to caption."""
        threads = reading_threads()
        size = self.captioner.batch_size
        prepared = in_order_ahead(self._prepare, tasks, ahead=max(size, threads), threads=threads)
        with contextlib.closing(prepared):
            going_on = itertools.takewhile(lambda _: not stopping(), prepared)
            # A window that the stop has cut short would be another group than without it.
            whole = itertools.takewhile(lambda _: not stopping(), windows(going_on, size, self._seen))
            for window, results in self.captioner.lanes.in_order(self._captioned, whole):
                yield window.outcomes(results)

    def close(self) -> None:
        """Nothing is held beside the model."""

    def _prepare(self, task: Task) -> Ready[Prepared]:
        if task.settled is not None:
            return Ready()
        same_by = self._seen.kind if self._seen is not None else ""
        return read_and_open(task.item, self._opened, self.captioner.max_pixels, same_by=same_by)

    def _opened(self, picture: PictureRow) -> tuple[Prepared, str]:
        prepared = self.captioner.prepare(picture)
        return prepared, prepared.prompt

    def _captioned(self, window: Window[Prepared]) -> list[Caption | Skipped]:
        captions = self.captioner.generate(window.pictures)
        return [
            self.captioner.ruled_or_skipped(caption, picture.prompt)
            for picture, caption in zip(window.pictures, captions, strict=True)
        ]
