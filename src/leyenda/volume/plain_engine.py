"""The engine of one machine: threads read and prepare pictures while the model captions the ones before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leyenda.errors import CaptionError, ImageError
from leyenda.images import fetch
from leyenda.images.fetching import without_secrets
from leyenda.images.opening import read_picture
from leyenda.inference.ahead import in_order_ahead, reading_threads
from leyenda.records import Caption, PictureBytes, PictureRow, Skipped
from leyenda.volume.engine import LARGEST_GROUP, Outcome, Task
from leyenda.volume.item import Item, is_address
from leyenda.volume.seen_pictures import SeenPictures

if TYPE_CHECKING:
    from leyenda.inference import Captioner
    from leyenda.inference.captioner import Prepared


@dataclass(frozen=True, slots=True)
class _Ready:
    """A task whose picture was read.

    Args:
        picture: what the model takes; None where there is nothing to caption.
        skipped: why the picture cannot be used.
        digest: of the encoded picture.
        data: the encoded picture, where it was fetched.
    """

    picture: Prepared | None = None
    skipped: Skipped | None = None
    digest: str = ""
    data: bytes | None = None


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
        window = _Window(self._seen)
        with contextlib.closing(prepared):
            for task, ready in prepared:
                if stopping():
                    return
                window.add(task, ready)
                if len(window.pictures) >= size or len(window.members) >= LARGEST_GROUP:
                    yield window.captioned(self.captioner)
                    window = _Window(self._seen)
            if window.members and not stopping():
                yield window.captioned(self.captioner)

    def close(self) -> None:
        """Nothing is held beside the model."""

    def _prepare(self, task: Task) -> _Ready:
        if task.settled is not None:
            return _Ready()
        digest, fetched = "", None
        try:
            encoded, fetched = read_item(task.item, self.captioner.max_pixels)
            picture = self.captioner.prepare(PictureRow(encoded, task.item.columns))
            if self._seen is not None:
                digest = self._seen.digest(encoded, picture.prompt, self.captioner.max_pixels)
            return _Ready(picture, None, digest, fetched)
        except (ImageError, CaptionError) as error:
            return _Ready(None, Skipped(error.code, str(error)), digest, fetched)


@dataclass(frozen=True, slots=True)
class _Member:
    """A task of a window.

    Args:
        task: the task.
        ready: its picture.
        key: what it has in common with those of the window that show the same picture.
        caption: of the same picture in an earlier window.
    """

    task: Task
    ready: _Ready
    key: str
    caption: Caption | None


class _Window:
    """The tasks of one group while it is gathered, and one of each picture to caption among them."""

    def __init__(self, seen: SeenPictures | None) -> None:
        self._seen = seen
        self.members: list[_Member] = []
        self.pictures: dict[str, Prepared] = {}

    def add(self, task: Task, ready: _Ready) -> None:
        """Take the next task."""
        same = self._seen.match(ready.digest, self.pictures) if self._seen is not None else None
        key = same or ready.digest or str(len(self.members))
        caption = self._seen.find(ready.digest) if self._seen is not None else None
        self.members.append(_Member(task, ready, key, caption))
        if ready.picture is not None and caption is None:
            self.pictures.setdefault(key, ready.picture)

    def captioned(self, captioner: Captioner) -> list[Outcome]:
        """Caption the pictures, and give every task what it gets."""
        generated = captioner.generate(list(self.pictures.values()))
        captions = {
            key: captioner.ruled_or_skipped(caption, picture.prompt)
            for (key, picture), caption in zip(self.pictures.items(), generated, strict=True)
        }
        first = dict(reversed([(member.key, member.task) for member in self.members]))
        outcomes = []
        for member in self.members:
            result: Caption | Skipped | None = member.ready.skipped
            copied = False
            if member.ready.picture is not None:
                result = member.caption or captions[member.key]
                copied = member.caption is not None or first[member.key] is not member.task
            copied = copied and isinstance(result, Caption)
            outcomes.append(Outcome(member.task, result, member.ready.digest, copied, member.ready.data))
        if self._seen is not None:
            for key, caption in captions.items():
                if isinstance(caption, Caption):
                    self._seen.remember(key, caption)
        return outcomes


def read_item(item: Item, max_pixels: int) -> tuple[PictureBytes, bytes | None]:
    """The encoded picture of an input.

    Args:
        item: the input.
        max_pixels: a file that is larger than any picture of so many pixels is not read.

    Returns:
        The picture, and its bytes once more where they were fetched over the network.

    Raises:
        ImageError: it cannot be read or fetched.
    """
    if isinstance(item.source, str) and is_address(item.source):
        data = fetch(item.source)
        return PictureBytes(data, without_secrets(item.source)), data
    return read_picture(item.source, max_pixels=max_pixels), None
