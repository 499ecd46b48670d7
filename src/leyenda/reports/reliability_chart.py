"""The reliability curve: of captions that are so sure, how many are right?"""

from __future__ import annotations

import math

from markupsafe import Markup

from leyenda.metrics.calibration import Calibration
from leyenda.reports.drawing import LEFT, PLOT_WIDTH, Drawing
from leyenda.reports.texts import Wording

_LARGEST, _SMALLEST = 7.0, 2.5
"""Radius of a point that stands for all captions, and least of any."""


def reliability_chart(found: Calibration, say: Wording) -> Markup:
    """Draw the share of right captions over confidence; the larger the point, the more captions it stands for.

    Args:
        found: of the captions.
        say: the page's language.

    Returns:
        An `svg` element, safe to put into a page.
    """
    drawing = Drawing(say("reliability"))
    drawing.shares_up(1.0, say)
    for tenth in range(0, 11, 2):
        drawing.label_below(LEFT + PLOT_WIDTH * tenth / 10, say.percent(tenth / 10))
    drawing.path([(0, 0), (1, 1)], "ideal")
    points = [
        (part.confidence, part.right, part.captions)
        for part in found.bins
        if part.confidence is not None and part.right is not None
    ]
    drawing.path([(x, y) for x, y, _ in points], "curve")
    for x, y, captions in points:
        drawing.point(x, y, max(_SMALLEST, _LARGEST * math.sqrt(captions / found.captions)))
    drawing.axis_names(say("confidence"), say("share_right"))
    return drawing.markup()


def reliability_verdict(found: Calibration, say: Wording) -> str:
    """Whether confidence means anything, in words."""
    if found.discrimination is None:
        return say("reliability_none_right" if found.mean_right == 0 else "reliability_all_right")
    kind = "good" if found.discrimination >= 0.7 else "weak" if found.discrimination >= 0.55 else "chance"
    return say(
        f"reliability_{kind}",
        share=say.percent(found.discrimination),
        confidence=say.percent(found.mean_confidence),
        right=say.percent(found.mean_right),
    )
