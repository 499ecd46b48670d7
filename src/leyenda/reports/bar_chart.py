"""Bars side by side as an `svg` element in the page's own colours; the numbers stand beside it, in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from leyenda.reports.drawing import LEFT, PLOT_WIDTH, Drawing, nice_top
from leyenda.reports.texts import Wording

_LETTER = 6.4
"""Width of a digit, in the drawing's units."""

_WIDEST = 40.0
"""Of a bar."""


@dataclass(frozen=True, slots=True)
class Bars:
    """One row of bars: its name (for the legend) and a share between 0 and 1 for every place."""

    name: str
    shares: Sequence[float]


def bar_chart(title: str, across: str, labels: Sequence[str], rows: Sequence[Bars], say: Wording) -> Markup:
    """Draw shares as bars, one group a label.

    Args:
        title: what a screen reader calls the drawing.
        across: what the labels are.
        labels: one for every place.
        rows: one or two, of as many shares as there are labels; the second is drawn as outlines, so that the two are
            told apart without colours, too.
        say: the page's language.
    """
    drawing = Drawing(title)
    top = nice_top(max(share for row in rows for share in row.shares))
    drawing.shares_up(top, say)
    slot = PLOT_WIDTH / len(labels)
    width = min(slot * 0.72 / len(rows), _WIDEST)
    for index, row in enumerate(rows):
        for place, share in enumerate(row.shares):
            x = LEFT + slot * (place + 0.5) + width * (index - len(rows) / 2)
            drawing.bar(x, width, share / top, "second-bar" if index else "first-bar")
    widest = max(map(len, labels)) * _LETTER
    every = -(-int(widest + 6) // max(1, int(slot)))
    for place, label in enumerate(labels):
        if place % every == 0:
            drawing.label_below(LEFT + slot * (place + 0.5), label)
    drawing.axis_names(across, say("share"))
    if len(rows) > 1:
        drawing.legend([(row.name, "second-bar" if index else "first-bar") for index, row in enumerate(rows)])
    return drawing.markup()
