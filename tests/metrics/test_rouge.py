"""ROUGE-1, -2, -L and -Lsum: the rouge-score library's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from leyenda import metrics
from leyenda.metrics.unicode_tokenizer import letter_runs

NAMES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
LIBRARY = RougeScorer(NAMES)
ASCII_TEXT = st.text(st.sampled_from("aabbcdD 19  .,'-_!"), max_size=30)


@settings(max_examples=60)
@given(ASCII_TEXT, st.lists(ASCII_TEXT, min_size=1, max_size=3))
def test_equal_to_the_library_on_ascii_text(caption: str, references: list[str]) -> None:
    expected = LIBRARY.score_multi(references, caption)
    values = metrics.score({"1": caption}, {"1": references}, NAMES).values
    for name in NAMES:
        assert values[name] == pytest.approx(expected[name].fmeasure, abs=1e-12), name


LINES = st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), max_size=4).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(LINES, st.lists(LINES, min_size=1, max_size=2))
def test_lines_are_compared_as_the_library_does(caption: str, references: list[str]) -> None:
    expected = LIBRARY.score_multi(references, caption)["rougeLsum"].fmeasure
    value = metrics.score({"1": caption}, {"1": references}, ["rougeLsum"]).values["rougeLsum"]
    assert value == pytest.approx(expected, abs=1e-12)


def test_the_papers_union_of_common_subsequences() -> None:
    """Lin 2004, section 3.2: the reference w1 w2 w3 w4 w5 and the lines w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 give 4/5."""
    value = metrics.score(
        {"1": "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"}, {"1": ["w1 w2 w3 w4 w5"]}, ["rougeLsum"]
    ).values["rougeLsum"]
    assert value == pytest.approx(2 * (4 / 5) * (4 / 10) / (4 / 5 + 4 / 10))


def test_the_papers_police_and_gunman() -> None:
    """Lin 2004, section 3.1: both share three words with the reference; in order, S2 has three and S3 two."""
    reference = ["police killed the gunman"]
    hypotheses = {"S2": "police kill the gunman", "S3": "the gunman kill police"}
    scores = metrics.score(hypotheses, dict.fromkeys(hypotheses, reference), ["rouge1", "rouge2", "rougeL"])
    assert scores.per_image["rougeL"] == {"S2": 3 / 4, "S3": 2 / 4}
    assert scores.per_image["rouge2"] == pytest.approx({"S2": 1 / 3, "S3": 1 / 3})


ANY_TEXT = st.text(st.sampled_from("abñÑéÉß東İ\u0301  .'"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, st.lists(ANY_TEXT, min_size=1, max_size=3))
def test_equal_to_the_library_on_other_letters_too(caption: str, references: list[str]) -> None:
    expected = LIBRARY.score_multi(references, caption)
    scores = metrics.score({"1": caption}, {"1": references}, NAMES)
    assert "ASCII" in scores.normalization["rouge1"]
    for name in NAMES:
        assert scores.values[name] == pytest.approx(expected[name].fmeasure, abs=1e-12), name


def test_equal_to_the_library_with_unicode_words_on_every_hard_pair(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))

    class Runs:
        def tokenize(self, text: str) -> list[str]:
            return list(letter_runs(text))

    library = RougeScorer(NAMES, tokenizer=Runs())
    scores = metrics.score(case["hypotheses"], case["references"], NAMES, tokenizer="unicode")
    for image, caption in case["hypotheses"].items():
        expected = library.score_multi(case["references"][image], caption)
        for name in NAMES:
            assert scores.per_image[name][image] == pytest.approx(expected[name].fmeasure, abs=1e-12)


def test_equal_to_the_oracle(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))
    expected = case["text_scores"]["rouge_score"]["use_stemmer_False"]
    values = metrics.score(case["hypotheses"], case["references"], NAMES[:3]).values
    first = {image: texts[:1] for image, texts in case["references"].items()}
    firsts = metrics.score(case["hypotheses"], first, NAMES[:3]).values
    for name in NAMES[:3]:  # the oracle has no rougeLsum
        assert values[name] == pytest.approx(expected["score_multi"][name]["fmeasure"], abs=1e-12)
        assert firsts[name] == pytest.approx(expected["first_reference"][name]["fmeasure"], abs=1e-12)


def test_spanish_words_stay_whole_with_unicode_words() -> None:
    references = {"1": ["el nino come", "La niña come"]}
    scores = metrics.score({"1": "El niño come"}, references, ["rouge1"], tokenizer="unicode")
    assert scores.values["rouge1"] == pytest.approx(2 / 3)  # `el` and `come`; `niño` is another word


def test_by_hand() -> None:
    values = metrics.score(
        {"1": "police killed the gunman"}, {"1": ["the gunman killed police"]}, NAMES
    ).values
    assert values == pytest.approx({"rouge1": 1.0, "rouge2": 1 / 3, "rougeL": 0.5, "rougeLsum": 0.5})


def test_empty_captions_score_nothing() -> None:
    for caption, reference in (("", "a dog"), ("a dog", ""), ("", ""), ("...", "!")):
        assert set(metrics.score({"1": caption}, {"1": [reference]}, NAMES).values.values()) == {0.0}
