"""Prompts filled from columns."""

from __future__ import annotations

import pytest

from leyenda.errors import CaptionError, LeyendaError
from leyenda.text_control import PromptTemplate


def test_columns_are_filled_in():
    template = PromptTemplate("{name} ({year}) {{sic}}, {name}")
    assert template.columns == ("name", "year")
    assert template.fill({"name": " Ana\nMaría ", "year": 1999}) == "Ana María (1999) {sic}, Ana María"
    assert PromptTemplate("a photo of").fill({}) == "a photo of"


@pytest.mark.parametrize("columns", [{}, {"name": None}, {"name": "  "}, {"name": float("nan")}])
def test_no_value_is_a_named_reason(columns):
    with pytest.raises(CaptionError, match="The column 'name' of the prompt has no value") as caught:
        PromptTemplate("of {name}").fill(columns)
    assert caught.value.code == "no_prompt"


def test_a_column_that_is_not_there_is_an_error_before_the_start():
    template = PromptTemplate("of {nmae}")
    with pytest.raises(
        LeyendaError, match=r"no column 'nmae' .*: the columns are name, city. Did you mean 'name'"
    ):
        template.check(["name", "city"])
    with pytest.raises(LeyendaError, match="these pictures have no columns"):
        template.check([])
    PromptTemplate("of {name}").check(["name"])
    PromptTemplate("of").check([])


@pytest.mark.parametrize("text", ["", " ", "of {", "of }", "of {}", "of {name!r}", "of {name:>9}"])
def test_braces_that_name_no_column(text):
    with pytest.raises(LeyendaError):
        PromptTemplate(text)
