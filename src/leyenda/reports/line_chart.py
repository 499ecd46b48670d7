"""One small chart as an `svg` element that belongs to the page around it: its colours, its fonts, no ids in common."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from leyenda.errors import MissingExtra
from leyenda.reports.texts import Wording

Points = dict[int, float]
"""Step -> value, in order of step."""

_INKS = {
    "#010101": "var(--muted)",
    "#020202": "var(--line)",
    "#030303": "var(--accent)",
    "#040404": "var(--second)",
}
"""Colours that only matplotlib sees -> the page's own, which follow light and dark."""
_TEXT, _GRID, *_LINES = _INKS

_FEW_POINTS = 30
"""Up to so many, each point is marked."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: its name (empty when it is the only one) and its points."""

    name: str
    points: Points


def line_chart(key: str, title: str, series: Sequence[Series], say: Wording) -> Markup:
    """Draw one or two series over training steps.

    Args:
        key: begins every id inside the drawing; different for every drawing of a page.
        title: what a screen reader calls the drawing.
        series: at most two, each with at least one point.
        say: the page's language.

    Returns:
        An `svg` element, safe to put into a page.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("Drawing the learning curves", "train") from error
    # Text stays text, so that the page's font applies; names are never formulas; the salt makes ids repeatable.
    settings = {"svg.fonttype": "none", "text.parse_math": False, "svg.hashsalt": key, "font.size": 11}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(4.3, 2.5), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot(facecolor="none")
        for colour, style, each in zip(_LINES, ("solid", "dashed"), series, strict=False):
            marker = "o" if len(each.points) < _FEW_POINTS else ""
            axes.plot(
                list(each.points), list(each.points.values()), label=each.name,
                color=colour, linestyle=style, linewidth=1.8, marker=marker, markersize=3.5,
            )  # fmt: skip
        _dress(axes, say)
        if len(series) > 1:
            axes.legend(frameon=False, labelcolor=_TEXT)
        written = io.StringIO()
        unsigned = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", metadata=unsigned)
    return _inline(written.getvalue(), key, title)


def _dress(axes: Any, say: Wording) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlabel(say("step"), color=_TEXT)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.tick_params(colors=_TEXT, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say.count(round(value))))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, say)))


def _tick(value: float, say: Wording) -> str:
    """A number with as many decimals as it needs, at most three."""
    for digits in range(3):
        if round(value, digits) == round(value, 6):
            return say.number(round(value, digits), digits)
    return say.quantity(value)


def _inline(drawing: str, key: str, title: str) -> Markup:
    root = ElementTree.fromstring(drawing)  # noqa: S314 - matplotlib wrote it a moment ago
    for element in list(root.iter()):
        element.tag = _local(element.tag)
        for child in list(element):
            # Its style sheet would apply to the whole page.
            if _local(child.tag) in ("style", "metadata"):
                element.remove(child)
        attributes = {_local(name): value for name, value in element.attrib.items()}
        element.attrib = {name: _adopted(name, value, key) for name, value in attributes.items()}
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": title,
        "focusable": "false",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704


def _local(name: str) -> str:
    """A name without its XML namespace, as HTML has it."""
    return name.rpartition("}")[2]


def _adopted(name: str, value: str, key: str) -> str:
    """An attribute's value with the page's colours and with the drawing's own ids."""
    if name == "id":
        return f"{key}-{value}"
    if name == "href":
        return value.replace("#", f"#{key}-", 1)
    for ink, own in _INKS.items():
        value = value.replace(ink, own)
    return value.replace("url(#", f"url(#{key}-")
