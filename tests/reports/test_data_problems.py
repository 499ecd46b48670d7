from __future__ import annotations

import pytest

from leyenda.data.check import KINDS, CheckReport, Problem
from leyenda.reports import render_markdown, render_report
from leyenda.reports.data_problems import SHOWN, problem_kinds
from leyenda.reports.texts import TEXTS, wording


@pytest.fixture
def found():
    doubles = [
        Problem("duplicate_image", f"{n}.png", "data.csv", n + 1, f"<b>{n}</b> is twice.") for n in range(9)
    ]
    return CheckReport((Problem("empty_caption", "a", "", 0, "A caption is empty."), *doubles), 40, 80)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_of_problem_has_a_name(language):
    names = [wording(language)(f"problem_{kind}") for kind in KINDS]
    assert len(set(names)) == len(KINDS)
    assert {key.removeprefix("problem_") for key in TEXTS if key.startswith("problem_")} == KINDS.keys()


def test_the_most_frequent_kind_comes_first_and_the_rest_is_counted(found, result, read_page):
    kinds = problem_kinds(found, wording("en"))
    assert [(kind.count, len(kind.first)) for kind in kinds] == [(9, SHOWN), (1, 1)]
    text = read_page(render_report(title="t", result=result, problems=found)).text("section")
    assert "data.csv:1: <b>0</b> is twice." in text
    assert f"and {9 - SHOWN} more" in text
    assert "Found in 40 pictures with 80 captions" in text


def test_markdown_counts_them(found, result):
    text = render_markdown(result, problems=found)
    assert "- Pictures with the same bytes as another: 9" in text
    assert "Nothing was found in 40 pictures" in render_markdown(result, problems=CheckReport((), 40, 80))
