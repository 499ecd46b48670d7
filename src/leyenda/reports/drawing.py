"""What charts of shares are made of: a frame with axes, bars, points and words, as an `svg` element of the page.

Written by hand, because a page of scores should need no plotting library; classes take the page's colours.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from leyenda.reports.texts import Wording

WIDTH, HEIGHT = 320.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 16.0, 30.0, 40.0
PLOT_WIDTH = WIDTH - LEFT - RIGHT
PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
FLOOR = TOP + PLOT_HEIGHT

_TOPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def nice_top(share: float) -> float:
    """The end of an axis on which the share has its place.

    >>> nice_top(0.33), nice_top(1.0), nice_top(0.0)
    (0.4, 1.0, 0.05)
    """
    return next((top for top in _TOPS if top >= share), 1.0)


class Drawing:
    """A chart that grows piece by piece.

    Args:
        title: what a screen reader calls it.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._pieces: list[Markup] = []

    def markup(self) -> Markup:
        """The `svg` element, safe to put into a page."""
        start = Markup('<svg viewBox="0 0 {} {}" class="chart" role="img" aria-label="{}" focusable="false">')
        return Markup("").join(
            [start.format(f"{WIDTH:g}", f"{HEIGHT:g}", self._title), *self._pieces, Markup("</svg>")]
        )

    def shares_up(self, top: float, say: Wording) -> None:
        """Lines and percentages of the upright axis, from 0 to `top`."""
        for part in (0.0, 0.5, 1.0):
            y = FLOOR - part * PLOT_HEIGHT
            self._add('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>', LEFT, y, WIDTH - RIGHT, y)
            self._add(
                '<text x="{}" y="{}" text-anchor="end">{}</text>', LEFT - 6, y + 4, say.percent(part * top)
            )

    def bar(self, x: float, width: float, height: float, name: str) -> None:
        """A bar on the floor; `height` is a share of the plot's."""
        tall = height * PLOT_HEIGHT
        self._add(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', name, x, FLOOR - tall, width, tall
        )

    def point(self, x: float, y: float, radius: float) -> None:
        """A point at shares of the plot."""
        self._add('<circle class="first-bar" cx="{}" cy="{}" r="{}"/>', *self._place(x, y), radius)

    def path(self, points: Sequence[tuple[float, float]], name: str) -> None:
        """A line through shares of the plot."""
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._place(*point) for point in points))
        self._add('<polyline class="{}" points="{}"/>', name, line)

    def label_below(self, x: float, text: str) -> None:
        """A word under the floor, its middle at x."""
        self._add('<text x="{}" y="{}" text-anchor="middle">{}</text>', x, FLOOR + 15, text)

    def axis_names(self, across: str, up: str) -> None:
        """What the axes measure."""
        self._add(
            '<text x="{}" y="{}" text-anchor="middle">{}</text>', LEFT + PLOT_WIDTH / 2, HEIGHT - 7, across
        )
        self._add('<text x="{}" y="{}">{}</text>', 2.0, 13.0, up)

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Names of rows of bars, at the top right."""
        x = WIDTH - RIGHT
        for name, look in reversed(entries):
            self._add('<text x="{}" y="{}" text-anchor="end">{}</text>', x, 13.0, name)
            x -= len(name) * 6.4 + 16
            self._add('<rect class="{}" x="{}" y="{}" width="10" height="10"/>', look, x, 4.0)
            x -= 10

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return LEFT + x * PLOT_WIDTH, FLOOR - y * PLOT_HEIGHT

    def _add(self, piece: str, *values: float | str) -> None:
        shown = [f"{each:.1f}" if isinstance(each, float) else escape(each) for each in values]
        self._pieces.append(Markup(piece).format(*shown))  # noqa: S704 - our own pieces; format escapes
