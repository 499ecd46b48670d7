from __future__ import annotations

import dataclasses
import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from leyenda.reports import render_markdown
from leyenda.reports.markdown import escape

READER = MarkdownIt("gfm-like", {"linkify": False})
SIGNS = st.text(st.sampled_from(list("ab 1.)-+=#*_`~|<>&[]()!\\$:/@{}\"'\n")), min_size=1, max_size=25)


def shown(rendered):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", rendered)).split())


@given(SIGNS.filter(str.strip))
def test_a_reader_of_markdown_shows_the_text_as_it_was(text):
    rendered = READER.render(escape(text))
    assert (
        rendered == f"<p>{html.escape(' '.join(text.split()), quote=False).replace(chr(34), '&quot;')}</p>\n"
    )


@given(SIGNS.filter(str.strip))
def test_a_caption_stays_in_its_table_cell(text):
    rendered = READER.render(f"| a | b |\n| --- | --- |\n| {escape(text)} | end |\n")
    cells = re.findall(r"<td>(.*)</td>", rendered)
    assert [shown(cell) for cell in cells] == [" ".join(text.split()), "end"]


def test_scores_controls_and_examples(result, evaluate):
    text = render_markdown(result, base=evaluate(["x"] * 40))
    rendered = READER.render(text)
    assert re.findall(r"<h2>(.*)</h2>", rendered) == [
        "Scores",
        "What the captions are like",
        "Which words go wrong",
        "Examples",
    ]
    assert len(re.findall(r"<tr>", rendered)) == 1 + len(result.scores.values)
    assert f"{result.controls['shuffled'].values['wer']:.3f}" in shown(rendered)
    assert result.scores.normalization["wer"].split(";")[0] in shown(rendered)
    assert rendered.count("<strong>zebras zoom</strong>") >= 1


def test_intervals_stand_in_brackets_behind_the_models_scores_and_are_explained(result):
    bare = dataclasses.replace(result.scores, intervals={})
    assert "95%" not in render_markdown(dataclasses.replace(result, scores=bare))
    scores = dataclasses.replace(result.scores, intervals={"wer": (0.1234, 0.5678)})
    text = render_markdown(dataclasses.replace(result, scores=scores))
    assert f"{result.scores.values['wer']:.3f} (0.123 to 0.568)" in text
    assert "the 95% interval" in text


def test_captions_are_text(evaluate):
    nasty = "<img src=x onerror=alert(1)> **bold** [a](b)"
    page = READER.render(render_markdown(evaluate([nasty, "\udce9"], [(nasty,), ("| a |",)])))
    assert "<img" not in page
    assert "<a " not in page
    assert nasty in shown(page)
    assert page.encode("utf-8")


def test_without_examples(result):
    assert "Examples" not in render_markdown(result, examples=0)


@pytest.mark.parametrize("language", ["en", "es"])
def test_warnings_come_along(result, language):
    text = render_markdown(
        dataclasses.replace(result, controls={"constant": result.scores}), language=language
    )
    assert text.count("**Warning:**" if language == "en" else "**Aviso:**") == 2
