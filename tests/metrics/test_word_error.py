"""Word and character errors: jiwer's numbers, and cases counted by hand."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import MissingExtra
from leyenda.metrics.word_error import count_errors, normalized

WORDS = st.lists(st.sampled_from(["a", "dog", "cat", "runs", "niño", "on", "grass"]), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A dog, running!", "a dog running"),
        ("  two\tspaces \n here ", "two spaces here"),
        ("El NIÑO comió piña.", "el niño comió piña"),
        ("cafe\u0301", "café"),
        ("rock’n’roll — “live”", "rocknroll live"),
        ("...", ""),
    ],
)
def test_normalization(text: str, expected: str) -> None:
    assert normalized(text) == expected


@given(WORDS, WORDS)
def test_counts_equal_jiwers(hypothesis: list[str], reference: list[str]) -> None:
    said, wanted = " ".join(hypothesis), " ".join(reference)
    words = jiwer.process_words(wanted, said)
    characters = jiwer.process_characters(wanted, said)
    edits, lengths = count_errors([said], [wanted], words=True)
    assert edits[0] == words.substitutions + words.deletions + words.insertions
    assert lengths[0] == words.hits + words.substitutions + words.deletions
    edits, lengths = count_errors([said], [wanted], words=False)
    assert edits[0] == characters.substitutions + characters.deletions + characters.insertions
    assert lengths[0] == len(wanted)


PAIR = st.tuples(WORDS | st.just([]), WORDS | st.just([]))


@given(st.lists(PAIR, min_size=1, max_size=4))
def test_every_rate_equals_jiwers_with_one_reference_each(pairs: list[tuple[list[str], list[str]]]) -> None:
    said, wanted = ([" ".join(words) for words in side] for side in zip(*pairs, strict=True))
    ids = [str(place) for place in range(len(pairs))]
    scores = metrics.score(
        dict(zip(ids, said, strict=True)),
        {image: [text] for image, text in zip(ids, wanted, strict=True)},
        ["wer", "wer_first", "mer", "wil", "cer"],
    )
    overall = jiwer.process_words(wanted, said)
    assert scores.values["wer"] == scores.values["wer_first"] == pytest.approx(overall.wer)
    assert scores.values["mer"] == pytest.approx(overall.mer)
    assert scores.values["wil"] == pytest.approx(overall.wil)
    assert scores.values["cer"] == pytest.approx(jiwer.process_characters(wanted, said).cer)
    for place, image in enumerate(ids):
        alone = jiwer.process_words([wanted[place]], [said[place]])
        assert scores.per_image["mer"][image] == pytest.approx(alone.mer)
        assert scores.per_image["wil"][image] == pytest.approx(alone.wil)


def test_mer_and_wil_equal_jiwers_on_coco_captions(shared: Path) -> None:
    """The nearest reference is the one of `wer`; which words are right decides jiwer's alignment."""
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    references = {image: [texts[0]] for image, texts in case["references"].items()}
    scores = metrics.score(case["hypotheses"], references, ["wer", "mer", "wil"])
    said = [normalized(text) for text in case["hypotheses"].values()]
    wanted = [normalized(references[image][0]) for image in case["hypotheses"]]
    expected = jiwer.process_words(wanted, said)
    assert scores.values == pytest.approx(
        {"wer": expected.wer, "mer": expected.mer, "wil": expected.wil}, abs=1e-12
    )


def test_the_papers_example_of_a_rate_above_one() -> None:
    """Morris, Maier and Green 2004, table 1: X for 'Y Z' and the like; WER passes 1, MER and WIL never do."""
    scores = metrics.score({"1": "x y z"}, {"1": ["a"]}, ["wer", "mer", "wil"])
    assert scores.values == {"wer": 3.0, "mer": 1.0, "wil": 1.0}


def test_first_reference_equals_jiwer_on_the_hard_pairs(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))
    expected = case["text_scores"]["jiwer"]["lower_nopunct"]["first_reference"]
    chain = jiwer.Compose(
        [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()]
    )
    said = [chain(case["hypotheses"][image]) for image in case["image_ids"]]
    wanted = [chain(case["references"][image][0]) for image in case["image_ids"]]
    # jiwer parts words at spaces only: another white space stays inside a word, as any letter would.
    said_words, wanted_words = ([re.sub(r"[^\S ]", "_", text) for text in side] for side in (said, wanted))
    for hypotheses, references, key, rate in (
        (said_words, wanted_words, "words", "wer"),
        (said, wanted, "chars", "cer"),
    ):
        edits, lengths = count_errors(hypotheses, references, words=key == "words")
        counts = expected[key]
        assert edits.sum() == counts["substitutions"] + counts["deletions"] + counts["insertions"]
        assert edits.sum() / lengths.sum() == pytest.approx(expected[rate], abs=1e-12)


def test_corpus_rates_equal_jiwers_on_coco_captions(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    images = list(case["hypotheses"])[:150]
    hypotheses = {image: case["hypotheses"][image] for image in images}
    references = {image: case["references"][image] for image in images}
    scores = metrics.score(hypotheses, references, ["wer", "wer_first", "cer"])
    said = [normalized(hypotheses[image]) for image in images]
    first = [normalized(references[image][0]) for image in images]
    assert scores.values["wer_first"] == pytest.approx(jiwer.wer(first, said), abs=1e-12)
    for name, rate in (("wer", jiwer.wer), ("cer", jiwer.cer)):
        nearest = [
            min(
                (normalized(text) for text in references[image]),
                key=lambda text: (rate(text, hyp), len(text.split())),
            )
            for image, hyp in zip(images, said, strict=True)
        ]
        assert scores.values[name] == pytest.approx(rate(nearest, said), abs=1e-12), name


def test_nearest_reference_and_its_ties() -> None:
    # Rates 1/2 and 2/4 tie: the one with fewer errors is taken, so 1 error in 2 words.
    scores = metrics.score({"1": "a cow"}, {"1": ["a cow in b", "a dog"]}, ["wer", "wer_first"])
    assert scores.values == {"wer": 0.5, "wer_first": 0.5}
    both = metrics.score(
        {"1": "a cow", "2": "x y"}, {"1": ["a cow in b", "a dog"], "2": ["x y"]}, ["wer", "wer_first"]
    )
    assert both.values["wer"] == pytest.approx(1 / 4)  # 1 of 2 words, and 0 of 2
    assert both.values["wer_first"] == pytest.approx(2 / 6)  # 2 of 4 words, and 0 of 2


def test_longer_captions_weigh_more_over_all_images() -> None:
    scores = metrics.score({"1": "a", "2": "b c d"}, {"1": ["x"], "2": ["b c d"]}, ["wer"])
    assert scores.values["wer"] == pytest.approx(1 / 4)
    assert scores.per_image["wer"] == {"1": 1.0, "2": 0.0}


@pytest.mark.parametrize(
    ("caption", "references", "rate"),
    [
        ("", ["a dog"], 1.0),
        ("a dog", [""], 2.0),
        ("", [""], 0.0),
        ("!!!", ["..."], 0.0),
        ("", ["a b", ""], 0.0),
    ],
)
def test_empty_captions(caption: str, references: list[str], rate: float) -> None:
    values = metrics.score({"1": caption}, {"1": references}, ["wer", "mer", "wil"]).values
    assert values["wer"] == rate
    assert values["mer"] == values["wil"] == min(1.0, rate)


def test_character_errors_count_letters_and_spaces() -> None:
    assert metrics.score({"1": "a dig"}, {"1": ["A dog."]}, ["cer"]).values["cer"] == pytest.approx(1 / 5)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    with pytest.raises(MissingExtra, match=r'pip install "leyenda\[scores\]"'):
        metrics.score({"1": "a"}, {"1": ["a"]}, ["wer"])
