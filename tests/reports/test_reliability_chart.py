from __future__ import annotations

import re

import pytest

from leyenda.metrics.calibration import calibration
from leyenda.reports.reliability_chart import reliability_chart, reliability_verdict
from leyenda.reports.texts import wording

SAY = wording("en")


def found(pairs):
    return calibration(
        {str(n): sure for n, (sure, _) in enumerate(pairs)},
        {str(n): good for n, (_, good) in enumerate(pairs)},
    )


def test_each_part_that_holds_captions_is_a_point_and_surer_is_further_right():
    drawn = str(reliability_chart(found([(0.15, 0), (0.45, 0), (0.45, 1), (0.85, 1)]), SAY))
    points = [
        tuple(map(float, each)) for each in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn)
    ]
    assert len(points) == 3
    assert points == sorted(points)
    heights = [y for _, y, _ in points]
    assert heights == sorted(heights, reverse=True)
    assert points[1][2] > points[0][2]


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(0.9, 1), (0.8, 1), (0.2, 0)], "Yes."),
        ([(0.2, 1), (0.3, 1), (0.9, 0)], "No."),
        ([(0.9, 1), (0.2, 1)], "Every caption is right"),
        ([(0.9, 0), (0.2, 0)], "No caption is right"),
    ],
)
def test_the_verdict(pairs, said):
    assert reliability_verdict(found(pairs), SAY).startswith(said)
