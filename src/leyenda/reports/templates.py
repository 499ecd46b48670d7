"""The pages' templates, which escape everything that is put into them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from leyenda import __version__
from leyenda.reports import metric_display
from leyenda.reports.printable import printable
from leyenda.reports.texts import Wording


def render(name: str, say: Wording, title: str, **values: object) -> str:
    """A page as text.

    Args:
        name: of the template, a file beside this one.
        say: the page's language.
        title: the page's heading.
        values: what the template names.
    """
    page = (
        _environment()
        .get_template(name)
        .render(
            t=say,
            metrics=metric_display,
            page_title=title,
            version=__version__,
            css=Markup(_resource("report.css")),  # noqa: S704 - our own file
            **values,
        )
    )
    return printable(page)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_resource),
    )
    environment.tests["mapping_of_facts"] = lambda value: isinstance(value, Mapping)
    environment.filters["fact"] = _fact
    return environment


def _fact(value: Any, say: Wording) -> str:
    """One value of the data summary as text."""
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, int):
        return say.count(value)
    if isinstance(value, float):
        return say.number(value, 1 if abs(value) >= 10 else 2)
    return "–" if value is None else str(value)


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
