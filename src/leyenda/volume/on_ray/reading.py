"""Ray Data reads pictures anywhere in the cluster and leaves them, ready for the model, in its memory.

Inputs are handed to it in portions, so that neither they nor the pictures pile up however many there are: while one
portion is captioned, the next is read. The caller sees of each picture where it lies, and why it cannot be used.
"""

from __future__ import annotations

import functools
import itertools
import os
import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import ray
import ray.data

from leyenda.errors import CaptionError, LeyendaError
from leyenda.images.model_input import ModelInput, Pixels
from leyenda.inference.ahead import in_order_ahead
from leyenda.records import PictureRow, Skipped
from leyenda.volume.engine import Task
from leyenda.volume.item import Item
from leyenda.volume.reading import read_and_open
from leyenda.volume.window import Ready

_THREADS = 4
"""That read at a time in a task: most of them wait for a disk or a server."""

_TASK = 32
"""Pictures that a task reads."""

_COLUMNS = pa.schema(
    [
        ("digest", pa.string()),
        ("code", pa.string()),
        ("message", pa.string()),
        ("data", pa.large_binary()),
        ("pixels", pa.large_binary()),
        ("shape", pa.list_(pa.int32())),
        ("dtype", pa.string()),
    ]
)
"""A picture that was read: its pixels, or the code and the message of why there are none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of a picture are.

    Args:
        block: Ray's reference to a table of `_COLUMNS`.
        row: in it.
        prompt: that its caption goes on from.
    """

    block: Any
    row: int
    prompt: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read.

    Args:
        model_input: what is done to them.
        max_pixels: most that a picture may have.
        exact_decode: decode every pixel of a large JPEG.
        same_by: what counts as the same picture; empty where pictures are not compared.
        folder: from which relative names start.
    """

    model_input: ModelInput
    max_pixels: int
    exact_decode: bool
    same_by: str
    folder: str

    def opened(self, picture: PictureRow) -> Pixels:
        """The pixels of a picture."""
        return self.model_input.open(
            picture.picture, max_pixels=self.max_pixels, exact_decode=self.exact_decode
        )


@dataclass(frozen=True, slots=True)
class Prompted:
    """What the caption of an input goes on from.

    Args:
        words: the prompt; empty for none.
        refusal: why there is no prompt, or none that the model can go on from.
    """

    words: str = ""
    refusal: Skipped | None = None


def make_ready(cpus: float) -> None:
    """Have a process start that will read, and load what that needs, while the models are loaded elsewhere.

    Args:
        cpus: that a task of reading reserves.
    """
    ray.remote(num_cpus=cpus)(_import_this_module).remote()


def _import_this_module() -> None:
    """Nothing more is to be done: where it runs, this module was imported to find it."""


def portions(tasks: Iterable[Task], first: int, largest: int) -> Iterator[list[Task]]:
    """Tasks in lists, a short one first so that workers need not wait for a long one, each twice the one before.

    >>> [len(portion) for portion in portions(range(20), 2, 8)]
    [2, 4, 8, 6]
    """
    source, size = iter(tasks), first
    while portion := list(itertools.islice(source, size)):
        yield portion
        size = min(2 * size, largest)


class Reader:
    """Reads tasks by Ray Data.

    Args:
        reading: how.
        prompts: gives the prompts of inputs.
        cpus: that a task reserves.
        shared: whether other machines take part, that may not see the files of this one.
    """

    def __init__(
        self,
        reading: Reading,
        prompts: Callable[[Sequence[Item]], Sequence[Prompted]],
        cpus: float,
        *,
        shared: bool,
    ) -> None:
        self._reading = reading
        self._prompts = prompts
        self._cpus = cpus
        self._shared = shared

    def read(
        self, tasks: Iterator[Task], first: int, largest: int
    ) -> Generator[tuple[Task, Ready[Place]], None, None]:
        """Read ahead, one portion more than is asked for.

        Args:
            tasks: read in the caller's thread.
            first: of the portions, its number of tasks.
            largest: of the portions, its number of tasks.

        Yields:
            Every task in order, with what was read.

        Raises:
            LeyendaError: the machines cannot read what is here, or die of it again and again.
        """
        for portion, read in in_order_ahead(
            self._portion, portions(tasks, first, largest), ahead=1, threads=1
        ):
            yield from zip(portion, read, strict=True)

    def _portion(self, tasks: Sequence[Task]) -> list[Ready[Place]]:
        items = [task.item for task in tasks if task.settled is None]
        found = iter(self._pictures(items))
        return [Ready() if task.settled is not None else next(found) for task in tasks]

    def _pictures(self, items: Sequence[Item]) -> list[Ready[Place]]:
        if not items:
            return []
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        prompts = self._prompts(items)
        sent = [
            _table_of(items[start : start + _TASK], prompts[start : start + _TASK])
            for start in range(0, len(items), _TASK)
        ]
        pictures = ray.data.from_arrow(sent).map_batches(
            functools.partial(read_batch, reading=self._reading),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=self._cpus,
        )
        blocks = pictures.to_arrow_refs()
        describe = ray.remote(num_cpus=0)(described)
        places = [
            (block, row, about)
            for block, rows in zip(blocks, ray.get([describe.remote(block) for block in blocks]), strict=True)
            for row, about in enumerate(rows)
        ]
        found = [
            Ready(Place(block, row, prompted.words) if skipped is None else None, skipped, digest, data)
            for (block, row, (skipped, digest, data)), prompted in zip(places, prompts, strict=True)
        ]
        if self._shared:
            for item, ready in zip(items, found, strict=True):
                _check_that_it_is_missing(item, ready)
        return found


def _table_of(items: Sequence[Item], prompts: Sequence[Prompted]) -> pa.Table:
    # Columns were needed for the prompts and stay here.
    rows = [
        pickle.dumps((Item(item.name, item.source), prompted))
        for item, prompted in zip(items, prompts, strict=True)
    ]
    return pa.table({"input": pa.array(rows, pa.binary())})


def read_batch(table: pa.Table, reading: Reading) -> pa.Table:
    """What a task of Ray Data does: read pictures and make them ready for the model.

    Args:
        table: with a column `input`.
        reading: how.

    Returns:
        A table of `_COLUMNS`, in the same order.
    """
    if os.path.isdir(reading.folder):
        os.chdir(reading.folder)

    def read(row: bytes) -> Ready[Pixels]:
        item, prompted = pickle.loads(row)  # noqa: S301 - it comes from the caller that sent this function

        def opened(picture: PictureRow) -> tuple[Pixels, str]:
            if prompted.refusal is not None:
                raise CaptionError(prompted.refusal.code, prompted.refusal.message)
            return reading.opened(picture), prompted.words

        return read_and_open(item, opened, reading.max_pixels, same_by=reading.same_by)

    with ThreadPoolExecutor(_THREADS) as threads:
        found = list(threads.map(read, table.column("input").to_pylist()))
    skipped = [one.skipped for one in found]
    pixels = [one.picture for one in found]
    columns = {
        "digest": [one.digest for one in found],
        "code": [None if one is None else one.code for one in skipped],
        "message": [None if one is None else one.message for one in skipped],
        "data": [one.data for one in found],
        "pixels": [None if one is None else one.tobytes() for one in pixels],
        "shape": [None if one is None else one.shape for one in pixels],
        "dtype": [None if one is None else one.dtype.str for one in pixels],
    }
    return pa.table(columns, schema=_COLUMNS)


def pixels_in(table: pa.Table, row: int) -> Pixels:
    """The pixels of a picture that `read_batch` read, `[3, height, width]`; a copy, for torch writes where it reads."""
    buffer = table.column("pixels")[row].as_buffer()
    shape = table.column("shape")[row].as_py()
    return np.frombuffer(buffer, dtype=table.column("dtype")[row].as_py()).reshape(shape).copy()


def described(table: pa.Table) -> list[tuple[Skipped | None, str, bytes | None]]:
    """What the caller needs to know of pictures, without their pixels, which stay where they are."""
    columns = (table.column(name).to_pylist() for name in ("code", "message", "digest", "data"))
    return [
        (None if code is None else Skipped(code, message), digest, data)
        for code, message, digest, data in zip(*columns, strict=True)
    ]


def _check_that_it_is_missing(item: Item, ready: Ready[Place]) -> None:
    """A file that is here and nowhere else is no missing picture."""
    if (
        ready.skipped is not None
        and ready.skipped.code == "missing"
        and item.file
        and os.path.exists(item.file)
    ):
        raise LeyendaError(
            f"{item.file!r} is here, but a machine of the Ray cluster does not find it.",
            "Pictures must lie where every machine of the cluster sees them under the same name; or name addresses.",
        )
