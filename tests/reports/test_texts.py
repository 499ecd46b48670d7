from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from leyenda.reports.texts import TEXTS, wording

SOURCES = {
    each.name: each.read_text(encoding="utf-8")
    for each in files("leyenda.reports").iterdir()
    if each.name.endswith((".py", ".html", ".css"))
}


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_fill_the_same_places(key):
    english, spanish = TEXTS[key]
    assert english
    assert spanish
    assert places(english) == places(spanish)


def test_every_text_that_the_page_asks_for_exists():
    pages = "".join(code for name, code in SOURCES.items() if name.endswith(".html"))
    asked = set(re.findall(r"""\bt(?:\.counted)?\(["'](\w+)["']""", pages))
    asked |= {
        key for name, code in SOURCES.items() for key in re.findall(r'\bsay(?:\.counted)?\("(\w+)"', code)
    }
    assert len(asked) > 60
    assert asked <= TEXTS.keys()


def test_singular_and_plural():
    assert wording("en").counted("n_pictures", 1) == "1 picture"
    assert wording("es").counted("n_pictures", 12000) == "12\u202f000 imágenes"


def luminance(colour):
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "back", "least"),
    [
        ("ink", "page", 7), ("ink", "panel", 7), ("ink", "warn-back", 7), ("muted", "page", 4.5),
        ("muted", "panel", 4.5), ("muted", "track", 4.5), ("accent", "page", 4.5), ("accent", "panel", 4.5),
        ("extra", "extra-back", 4.5), ("missing", "missing-back", 4.5), ("right", "panel", 4.5),
        ("warn", "warn-back", 4.5), ("second", "panel", 3), ("missing", "panel", 3),
    ],
)  # fmt: skip
def test_contrast(scheme, text, back, least):
    roots = re.findall(r":root \{([^}]*)\}", SOURCES["report.css"])
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", roots[scheme]))
    assert contrast(colours[text], colours[back]) >= least
