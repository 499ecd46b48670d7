"""Caption any number of pictures into an output, so that nothing is lost and nothing is done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from leyenda.volume.engine import Engine, Outcome, Task
from leyenda.volume.entries_by_name import EntriesByName
from leyenda.volume.entry import LOW_CONFIDENCE, Entry
from leyenda.volume.existing import SKIP
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import PARTS, Item
from leyenda.volume.journal import Journal
from leyenda.volume.named_inputs import refuse_other_inputs
from leyenda.volume.outputs.output import Output
from leyenda.volume.rules import Rules
from leyenda.volume.seen_pictures import SeenPictures
from leyenda.volume.totals import Totals


class VolumeRun:
    """Pictures being captioned into an output: iterate to get what became of each, as soon as it is written.

    Making one checks everything and opens the journal; what an earlier run of the same command did is not done again.

    Args:
        inputs: the pictures.
        output: where captions go.
        make_engine: makes what captions; called when everything else has been checked.
        settings: what else decides the captions; a stopped run with others is not gone on with.
        rules: what is written of what the model says.
        seen: the memory of the engine for pictures that are the same; it is told what earlier runs did.

    Raises:
        LeyendaError: something cannot work as it was asked for.
    """

    def __init__(
        self,
        inputs: Inputs,
        output: Output,
        make_engine: Callable[[], Engine],
        *,
        settings: Mapping[str, Any],
        rules: Rules | None = None,
        seen: SeenPictures | None = None,
        overwrite: bool = False,
    ) -> None:
        self.inputs = inputs
        self.output = output
        self.rules = rules or Rules()
        self.totals = Totals()
        self.done_before = 0
        self.finished = False
        self.stopping = False
        self._seen = seen
        self._changed = False
        output.check(inputs)
        everything = {**settings, **self.rules.settings(), **output.settings()}
        self.journal = Journal(
            output.journal_path, everything, overwrite=overwrite, record=output.keeps_journal
        )
        try:
            if self.journal.run.last is not None:
                images = [entry.image for entry in self.journal.run.last.entries]
                refuse_other_inputs(self.journal.path, self.journal.run.settings, everything, images)
            if self.rules.retry_failed and self.journal.resumed:
                self.journal.try_failed_again()
            output.recover(self.journal)
            self._engine = make_engine()
        except BaseException:
            self._close()
            raise

    def stop(self) -> None:
        """Finish the batch in hand, write it, and end."""
        self.stopping = True

    def __iter__(self) -> Iterator[Entry]:
        tasks = self._tasks()
        try:
            with contextlib.closing(self._engine.groups(tasks, lambda: self.stopping)) as groups:  # type: ignore[type-var]
                for outcomes in groups:
                    yield from self._write([self.rules.entry(outcome) for outcome in outcomes], outcomes)
                    if self.stopping:
                        break
            if not self.stopping:
                for kept in self._leftovers():
                    yield from self._write(kept, ())
                self._finish()
        finally:
            self._close()

    def _tasks(self) -> Iterator[Task]:
        """The inputs that are left to do, or to keep, in order."""
        done = self._done()
        for item in self.inputs:
            entry = done.take(item.name)
            earlier = self.output.earlier(item)
            if entry is not None:
                self._count_done(entry)
            else:
                yield self._task(item, earlier)
        for entry in done.rest():  # its input has gone since, or is a leftover of the finished output
            self.output.forget_earlier(entry.image)
            self._count_done(entry)

    def _done(self) -> EntriesByName:
        return EntriesByName(self.journal.done_before, self.journal.entry_at)

    def _count_done(self, entry: Entry) -> None:
        self.done_before += 1
        if self._seen is not None and not entry.copied and (caption := entry.model_caption):
            self._seen.remember(entry.digest, caption)
        self._changed = self._changed or not entry.kept
        self.totals.add(entry)

    def _task(self, item: Item, earlier: Entry | None) -> Task:
        if item.unusable is not None:
            known = earlier is not None and earlier.error == item.unusable
            return Task(item, Entry(item.name, error=item.unusable, kept=known))
        if earlier is None:
            return Task(item)
        if earlier.error is not None:
            again = self.rules.retry_failed or earlier.error.code == LOW_CONFIDENCE
            return Task(item, earlier=earlier) if again else Task(item, replace(earlier, kept=True))
        if self.rules.existing == SKIP:
            return Task(item, replace(earlier, kept=True))
        return Task(item, earlier=earlier)

    def _leftovers(self) -> Iterator[Sequence[Entry]]:
        """What the finished output says of other inputs, but for parts of files which can be read by now."""
        files = set(self.inputs.files)
        for some in self.output.leftovers():
            kept = [replace(entry, kept=True) for entry in some if not _is_mended(entry, files)]
            self._changed = self._changed or len(kept) < len(some)
            if kept:
                yield kept

    def _write(self, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> Iterator[Entry]:
        entries, state = self.output.place(entries, outcomes)
        group = self.journal.commit(entries, state, sync=self.output.keeps_journal)
        self.output.apply(group)
        for entry in entries:
            self._changed = self._changed or not entry.kept
            self.totals.add(entry)
        yield from entries

    def _finish(self) -> None:
        if self._changed:
            self.output.finish(self.journal)
        else:
            self.output.nothing_new(self.journal)
        self.finished = True

    def _close(self) -> None:
        if not self.finished and not self.journal.run.groups:
            self.journal.forget_run()
        self.journal.close()
        if engine := getattr(self, "_engine", None):
            engine.close()


def _is_mended(entry: Entry, files: Set[str]) -> bool:
    """Whether an input of an earlier run stood for a part of a file, which was read this time without it."""
    if entry.error is None or entry.error.code not in PARTS:
        return False
    return entry.image in files or entry.image.rpartition(":")[0] in files
