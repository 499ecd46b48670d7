"""Tasks whose pictures were read are gathered into groups; of those that show the same picture, one is captioned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from leyenda.records import Caption, Skipped
from leyenda.volume.engine import LARGEST_GROUP, Outcome, Task
from leyenda.volume.seen_pictures import Said, SeenPictures

Picture = TypeVar("Picture")


@dataclass(frozen=True, slots=True)
class Ready(Generic[Picture]):
    """What was read for a task.

    Args:
        picture: what the model takes, or where that is; None where there is nothing to caption.
        skipped: why the picture cannot be used.
        digest: of the encoded picture; empty where same pictures are not looked for.
        data: the encoded picture, where it was fetched.
    """

    picture: Picture | None = None
    skipped: Skipped | None = None
    digest: str = ""
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Member(Generic[Picture]):
    """A task of a window.

    Args:
        task: the task.
        ready: what was read for it.
        said: what its picture gets; None where it gets no caption.
        copied: an earlier input is the same picture.
    """

    task: Task
    ready: Ready[Picture]
    said: Said | None
    copied: bool


class Window(Generic[Picture]):
    """The tasks of one group.

    Args:
        seen: what was said of earlier pictures, or is about to be; None captions each picture anew.
    """

    def __init__(self, seen: SeenPictures | None) -> None:
        self._seen = seen
        self._members: list[_Member[Picture]] = []
        self._own: list[Said] = []
        self.pictures: list[Picture] = []
        """Those to caption, in order."""

    def __len__(self) -> int:
        return len(self._members)

    def add(self, task: Task, ready: Ready[Picture]) -> None:
        """Take the next task."""
        said, copied = None, False
        if ready.picture is not None:
            said = self._seen.find(ready.digest) if self._seen is not None else None
            copied = said is not None
            if said is None:
                said = Said()
                self._own.append(said)
                self.pictures.append(ready.picture)
                if self._seen is not None:
                    self._seen.expect(ready.digest, said)
        self._members.append(_Member(task, ready, said, copied))

    def outcomes(self, results: Iterable[Caption | Skipped]) -> list[Outcome]:
        """Give every task what it gets.

        Args:
            results: of `pictures`: captions, or why the rules for captions refuse them. Those of earlier windows must
                have been given before.
        """
        for said, result in zip(self._own, results, strict=True):
            said.tell(result)
        return [self._outcome(member) for member in self._members]

    def _outcome(self, member: _Member[Picture]) -> Outcome:
        ready = member.ready
        result = ready.skipped if member.said is None else member.said.result
        if isinstance(result, Skipped) and self._seen is not None:
            self._seen.forget(ready.digest)  # as in a run that is gone on with, which knows of captions alone
        copied = member.copied and isinstance(result, Caption)
        return Outcome(member.task, result, ready.digest, copied, ready.data)


def windows(
    prepared: Iterable[tuple[Task, Ready[Picture]]], size: int, seen: SeenPictures | None
) -> Iterator[Window[Picture]]:
    """Groups of tasks: each is full when it has a batch of pictures to caption.

    Args:
        prepared: tasks in order, with what was read for them.
        size: pictures of a batch.
        seen: as for `Window`.
    """
    window: Window[Picture] = Window(seen)
    for task, ready in prepared:
        window.add(task, ready)
        if len(window.pictures) >= size or len(window) >= LARGEST_GROUP:
            yield window
            window = Window(seen)
    if len(window):
        yield window
