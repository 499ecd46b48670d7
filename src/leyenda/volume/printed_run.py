"""Captions for the terminal and for pipes: nothing is kept, and nothing is gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from leyenda.records import Skipped
from leyenda.volume.engine import Engine, Task
from leyenda.volume.entry import Entry
from leyenda.volume.inputs.opening import Inputs
from leyenda.volume.item import Item
from leyenda.volume.rules import Rules

_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


class PrintedRun:
    """Pictures being captioned: iterate to get what became of each, in order.

    Args:
        inputs: the pictures.
        engine: what captions them.
        rules: what is given of what the model says.
    """

    def __init__(self, inputs: Inputs, engine: Engine, rules: Rules) -> None:
        self.inputs = inputs
        self.single = inputs.single
        self.given = 0
        self.failures: list[tuple[str, Skipped]] = []
        self._engine = engine
        self._rules = rules

    def __iter__(self) -> Iterator[Entry]:
        tasks = (Task(item, _unusable(item)) for item in self.inputs)
        with contextlib.closing(self._engine.groups(tasks, lambda: False)) as groups:  # type: ignore[type-var]
            for outcomes in groups:
                for outcome in outcomes:
                    entry = self._rules.entry(outcome)
                    self.given += 1
                    if entry.error is not None:
                        self.failures.append((entry.image, entry.error))
                    yield entry

    def summary(self) -> str:
        """What to tell a person at the end: every failure."""
        if not self.failures:
            return ""
        lines = [f"No caption for {len(self.failures)} of {pictures(self.given)}:"]
        return "\n".join(lines + [f"  {reason(name, skipped)}" for name, skipped in self.failures])


def _unusable(item: Item) -> Entry | None:
    return None if item.unusable is None else Entry(item.name, error=item.unusable)


def as_text(entry: Entry, *, with_name: bool) -> str:
    r"""One line for people and for `cut`: the caption, after the picture's name and a tab if that is wanted.

    >>> as_text(Entry("a.jpg", "a dog", 0.5), with_name=True)
    'a.jpg\ta dog'
    >>> as_text(Entry("a\nb.jpg", "a dog", 0.5), with_name=True)
    'a\\nb.jpg\ta dog'
    """
    caption = " ".join((entry.caption or "").split())
    shown = _on_one_line(caption)
    return f"{_on_one_line(entry.image)}\t{shown}" if with_name else shown


def reason(name: str, skipped: Skipped) -> str:
    """Why a picture has no caption, with its name."""
    told = name in skipped.message or repr(name)[1:-1] in skipped.message
    return _on_one_line(skipped.message if told else f"{name}: {skipped.message}")


def _on_one_line(text: str) -> str:
    """Text without what ends a line, parts columns or steers a terminal, and without bytes that are no UTF-8."""
    return text.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode()


def pictures(number: int) -> str:
    """A number of pictures, in words.

    >>> pictures(1), pictures(1200)
    ('1 picture', '1,200 pictures')
    """
    return "1 picture" if number == 1 else f"{number:,} pictures"
