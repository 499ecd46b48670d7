"""The captioners that see no picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import ScoreError
from leyenda.metrics.controls import CANDIDATES, deranged, most_central
from leyenda.metrics.corpus import Corpus
from leyenda.metrics.word_error import constant_rates

HYPOTHESES = {"1": "a dog runs", "2": "a cat sits", "3": "a cow eats"}
REFERENCES = {"1": ["a dog runs"], "2": ["a cat sits", "a cat"], "3": ["the cow"]}


def test_the_constant_is_the_candidate_with_the_fewest_word_errors() -> None:
    candidates = ["purple", "a cat", "a dog runs", "the zebra"]
    constant, scores = metrics.controls(HYPOTHESES, REFERENCES, candidates)
    everywhere = {
        text: metrics.score(dict.fromkeys(HYPOTHESES, text), REFERENCES, ["wer"]).values["wer"]
        for text in candidates
    }
    assert everywhere[constant] == min(everywhere.values())
    assert scores["constant"].values["wer"] == everywhere[constant]
    assert scores["constant"].values["distinct"] == pytest.approx(1 / 3)
    assert list(scores["constant"].values) == [
        name for name, metric in metrics.METRICS.items() if metric.usual
    ]


def test_rates_of_constants_are_those_of_scoring_them(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))
    corpus = Corpus.checked(case["hypotheses"], case["references"])
    captions = ["a dog", "A man rides a bike.", "", "un niño"]
    expected = [
        metrics.score(dict.fromkeys(case["hypotheses"], text), case["references"], ["wer"]).values["wer"]
        for text in captions
    ]
    assert constant_rates(corpus, captions) == expected


def test_a_tie_goes_to_the_higher_cider_and_then_to_the_alphabet() -> None:
    # Each is right about one of two images, in one of two words; `cow` is the telling word, `a` stands everywhere.
    references = {"1": ["a cow"], "2": ["a dog"]}
    hypotheses = {"1": "x", "2": "y"}
    assert metrics.controls(hypotheses, references, ["a hen", "a dog"])[0] == "a dog"
    assert metrics.controls(hypotheses, references, ["a dog", "a cow"])[0] == "a cow"
    references = {"1": ["a red cow"], "2": ["a blue dog"]}
    assert (
        metrics.controls(hypotheses, references, ["a zebra cow", "a zebra x", "a elk x"])[0] == "a zebra cow"
    )


def test_without_candidates_the_references_are_tried() -> None:
    for candidates in (None, []):
        constant, _ = metrics.controls(HYPOTHESES, REFERENCES, candidates)
        assert constant in {text for texts in REFERENCES.values() for text in texts}


def test_no_picture_keeps_its_own_caption() -> None:
    captions = {str(n): f"caption {n}" for n in range(20)}
    references = {image: [text] for image, text in captions.items()}
    _, scores = metrics.controls(captions, references, seed=3, metrics=["wer"])
    assert min(scores["shuffled"].per_image["wer"].values()) > 0
    again = metrics.controls(captions, references, seed=3, metrics=["wer"])[1]
    other = metrics.controls(captions, references, seed=4, metrics=["wer"])[1]
    assert again["shuffled"].per_image == scores["shuffled"].per_image
    assert deranged(list(captions.values()), 3) != deranged(list(captions.values()), 4)
    assert set(other) == {"constant", "shuffled"}


@given(st.integers(2, 30), st.integers(0, 1000))
def test_shuffling_moves_every_caption_and_loses_none(count: int, seed: int) -> None:
    captions = [str(n) for n in range(count)]
    dealt = deranged(captions, seed)
    assert sorted(dealt) == sorted(captions)
    assert all(before != after for before, after in zip(captions, dealt, strict=True))


def test_one_image_keeps_its_caption() -> None:
    _, scores = metrics.controls({"1": "a dog"}, {"1": ["a dog"]})
    assert scores["shuffled"].values["wer"] == 0.0


def test_of_many_candidates_the_central_ones_are_tried() -> None:
    candidates = [f"word{n} other{n}" for n in range(1000)] + ["a dog", "a dog", "a cat"]
    tried = most_central(candidates, CANDIDATES)
    assert len(tried) == CANDIDATES
    assert tried[:2] == ["a dog", "a cat"]
    assert metrics.controls(HYPOTHESES, REFERENCES, candidates)[0] in ("a dog", "a cat")


def test_one_human_against_the_others() -> None:
    """Each caption takes its turn; the model meets the very same references. Checked against scoring by hand."""
    hypotheses = {"1": "a dog runs", "2": "a cat", "3": "a hen"}
    references = {
        "1": ["a dog runs", "the dog ran off"],
        "2": ["a cat", "one cat", "a grey cat"],
        "3": ["a cow"],
    }
    names = ["wer", "bleu_1", "cider_d"]
    found = metrics.human(hypotheses, references, metrics=names)
    turns = [
        ({"1": "a dog runs", "2": "a cat"}, {"1": ["the dog ran off"], "2": ["one cat", "a grey cat"]}),
        ({"1": "the dog ran off", "2": "one cat"}, {"1": ["a dog runs"], "2": ["a cat", "a grey cat"]}),
        ({"1": "a dog runs", "2": "a grey cat"}, {"1": ["the dog ran off"], "2": ["a cat", "one cat"]}),
    ]
    said = {"1": "a dog runs", "2": "a cat"}
    for name in names:
        people = [metrics.score(spoken, others, [name]).values[name] for spoken, others in turns]
        model = [metrics.score(said, others, [name]).values[name] for _, others in turns]
        assert found.people.values[name] == pytest.approx(sum(people) / 3)
        assert found.model.values[name] == pytest.approx(sum(model) / 3)
    assert (found.people.images, found.model.images, found.rounds) == (2, 2, 3)


def test_people_who_agree_are_perfect_and_a_model_that_is_one_of_them_is_as_good() -> None:
    references = {"1": ["a dog runs"] * 7, "2": ["a cat sits"] * 7}
    found = metrics.human({"1": "a dog runs", "2": "a cat sits"}, references)
    assert found.people.values == found.model.values
    assert found.people.values["wer"] == 0
    assert found.rounds == 5


def test_without_several_captions_of_an_image_there_is_no_human_control() -> None:
    assert metrics.human({"1": "a"}, {"1": ["a"]}) is None


def test_what_does_not_fit_together_is_an_error_here_too() -> None:
    with pytest.raises(ScoreError, match="no generated caption: '2'"):
        metrics.controls({"1": "a"}, {"1": ["a"], "2": ["b"]})
    with pytest.raises(ScoreError, match="no metric"):
        metrics.controls({"1": "a"}, {"1": ["a"]}, metrics=["zzz"])
