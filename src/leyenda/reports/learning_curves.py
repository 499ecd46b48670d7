"""Learning curves as drawings inside the page: what `history.jsonl` holds, one small chart a quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from leyenda.reports.line_chart import Points, Series, line_chart
from leyenda.reports.metric_display import is_lower_better, title
from leyenda.reports.texts import Wording

FIRST_SCORES = ("eval_wer", "eval_cider_d", "eval_distinct")
"""Shown at once; the other scores wait behind a "more curves" switch."""

IN_FRONT = ("loss", "reward", *FIRST_SCORES, "learning_rate")
"""The order of what is shown at once."""

NOT_CURVES = ("step", "epoch", "eval_loss")
"""`eval_loss` is drawn into the chart of `loss`."""

SPEED = ("runtime", "per_second", "total_flos", "time")
"""Quantities whose name holds one of these say how fast the machine was, not what the model learned."""

MOST_ROWS = 40
"""Rows of a chart's table of numbers."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One chart.

    Args:
        key: the quantity's name in the history.
        title: its name for people.
        about: in words, what the drawing shows.
        drawing: an `svg` element, safe to put into a page.
        series: what was drawn.
        rows: (step, value of each series or None), at most `MOST_ROWS`.
        points: how many steps have a value, of which `rows` shows some or all.
        is_first: whether it is shown at once.
    """

    key: str
    title: str
    about: str
    drawing: Markup
    series: tuple[Series, ...]
    rows: tuple[tuple[int, tuple[float | None, ...]], ...]
    points: int
    is_first: bool


def learning_curves(history: Sequence[Mapping[str, object]], say: Wording) -> list[Curve]:
    """Draw every quantity of a training history.

    Args:
        history: rows with `step` and any numbers; what is not a finite number is left out.
        say: the page's language.

    Raises:
        MissingExtra: there is something to draw and matplotlib is not installed.
    """
    return [
        _curve(index, key, charted, say)
        for index, (key, charted) in enumerate(_charts(history, say).items(), start=1)
    ]


def _charts(history: Sequence[Mapping[str, object]], say: Wording) -> dict[str, list[Series]]:
    """Quantity -> its series, in the order of the page."""
    names = {name for row in history for name in row if name not in NOT_CURVES and not _tells_speed(name)}
    keys = [name for name in IN_FRONT if name in names or name == "loss"] + sorted(names - set(IN_FRONT))
    charts: dict[str, list[Series]] = {}
    for key in keys:
        parts = ["loss", "eval_loss"] if key == "loss" else [key]
        found = [(part, points) for part in parts if (points := _points(history, part))]
        if found:
            lone = len(found) == 1 and key != "loss"
            charts[key] = [Series("" if lone else say(f"series_{part}"), points) for part, points in found]
    return charts


def _points(history: Sequence[Mapping[str, object]], name: str) -> Points:
    """Step -> value; after a resume the later row of a step counts."""
    points: Points = {}
    for row in history:
        step, value = row.get("step"), row.get(name)
        if isinstance(step, int) and isinstance(value, int | float) and math.isfinite(value):
            points[step] = float(value)
    return dict(sorted(points.items()))


def _tells_speed(name: str) -> bool:
    return any(part in name for part in SPEED)


def _curve(index: int, key: str, series: Sequence[Series], say: Wording) -> Curve:
    name = _title(key, say)
    steps = sorted({step for each in series for step in each.points})
    shown = _thinned(steps)
    return Curve(
        key=key,
        title=name,
        about=_about(key, name, series[-1].points, say),
        drawing=line_chart(f"curve{index}", name, series, say),
        series=tuple(series),
        rows=tuple((step, tuple(each.points.get(step) for each in series)) for step in shown),
        points=len(steps),
        is_first=key in IN_FRONT,
    )


def _title(key: str, say: Wording) -> str:
    if key in ("loss", "reward", "learning_rate", "grad_norm"):
        return say(f"curve_{key}")
    return title(key.removeprefix("eval_"), say) if key.startswith("eval_") else key.replace("_", " ")


def _about(key: str, name: str, points: Points, say: Wording) -> str:
    (first_step, first), (last_step, last) = next(iter(points.items())), list(points.items())[-1]
    if len(points) == 1:
        return say("curve_about_one", title=name, first=say.quantity(first), first_step=say.count(first_step))
    text = say(
        "curve_about",
        title=name,
        first=say.quantity(first),
        first_step=say.count(first_step),
        last=say.quantity(last),
        last_step=say.count(last_step),
    )
    lower = True if key == "loss" else is_lower_better(key.removeprefix("eval_"))
    if lower is None or not (key == "loss" or key.startswith("eval_")):
        return text
    best = (min if lower else max)(points, key=lambda step: points[step])
    extreme = say(
        "curve_lowest" if lower else "curve_highest", value=say.quantity(points[best]), step=say.count(best)
    )
    return f"{text} {extreme}"


def _thinned(steps: Sequence[int]) -> list[int]:
    """At most `MOST_ROWS` of the steps, evenly spread, the first and the last among them."""
    if len(steps) <= MOST_ROWS:
        return list(steps)
    stride = (len(steps) - 1) / (MOST_ROWS - 1)
    return [steps[round(place * stride)] for place in range(MOST_ROWS)]
