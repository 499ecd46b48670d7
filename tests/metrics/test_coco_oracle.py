"""BLEU, ROUGE-L and CIDEr-D against the official COCO caption evaluation, overall and image by image."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from leyenda import metrics
from leyenda.metrics.corpus import Corpus
from leyenda.records import Scores

OFFICIAL_NAMES = {
    "bleu_1": "Bleu_1",
    "bleu_2": "Bleu_2",
    "bleu_3": "Bleu_3",
    "bleu_4": "Bleu_4",
    "coco_rouge_l": "ROUGE_L",
    "cider_d": "CIDEr",
}
TOLERANCE = 1e-9


def scores_of(case: dict[str, Any]) -> Scores:
    return metrics.score(case["hypotheses"], case["references"], list(OFFICIAL_NAMES))


def assert_equal(case: dict[str, Any]) -> None:
    scores = scores_of(case)
    for ours, official in OFFICIAL_NAMES.items():
        if case["scores"][official] is not None:
            assert scores.values[ours] == pytest.approx(case["scores"][official], abs=TOLERANCE, rel=0), ours
        for image, expected in case["per_image"].items():
            if official in expected:
                ours_here = scores.per_image[ours][image]
                assert ours_here == pytest.approx(expected[official], abs=TOLERANCE, rel=0), (ours, image)


@pytest.mark.parametrize("name", ["coco-1000.json", "hard-cases.json"])
def test_every_image_scores_as_the_official_code_says(shared: Path, name: str) -> None:
    case = json.loads((shared / "oracle" / name).read_text("utf-8"))
    assert set(case["per_image"]) == set(case["hypotheses"])
    assert_equal(case)


MINI_CORPORA = (
    *(
        "one_image_exact",
        "one_image_partial",
        "two_images_exact",
        "two_images_same_refs",
        "two_images_swapped",
    ),
    *("all_hyps_empty", "all_empty", "short_corpus_no_4grams", "unequal_reference_counts"),
    *("duplicate_references", "length_penalty"),
)


@pytest.mark.parametrize("name", MINI_CORPORA)
def test_small_and_degenerate_corpora(shared: Path, name: str) -> None:
    corpora = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))["mini_corpora"]
    assert {case["name"] for case in corpora} == set(MINI_CORPORA)
    assert_equal(next(case for case in corpora if case["name"] == name))


def test_scores_are_those_that_were_published(shared: Path) -> None:
    """The example of the official evaluation (Chen et al. 2015, arXiv:1504.00325) prints three decimals."""
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    values = scores_of(case).values
    published = {
        "Bleu_1": 0.579,
        "Bleu_2": 0.404,
        "Bleu_3": 0.279,
        "Bleu_4": 0.191,
        "ROUGE_L": 0.396,
        "CIDEr": 0.6,
    }
    for ours, official in OFFICIAL_NAMES.items():
        assert round(values[ours], 3) == published[official]


def test_bleu_counts_are_the_published_ones(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    corpus = Corpus.checked(case["hypotheses"], case["references"])
    said = [int(counts.count[counts.caption < len(corpus.ids)].sum()) for counts in corpus.ngrams]
    assert said == case["bleu_components"]["guess"]


def test_all_captions_empty_scores_nothing_where_the_official_code_fails() -> None:
    scores = metrics.score({"a": "", "b": ""}, {"a": [""], "b": [""]}, list(OFFICIAL_NAMES))
    assert scores.values["cider_d"] == 0.0
    assert scores.values["coco_rouge_l"] == 1.0
    assert scores.values["bleu_1"] == 0.0


def test_bleu_of_the_papers_first_example() -> None:
    """Papineni et al. 2002, section 2.1: clipped unigram precision of "the the the..." is 2/7."""
    scores = metrics.score(
        {"1": "the the the the the the the"},
        {"1": ["The cat is on the mat.", "There is a cat on the mat."]},
        ["bleu_1", "bleu_2"],
    )
    assert scores.values["bleu_1"] == pytest.approx(2 / 7, abs=1e-6)
    assert scores.values["bleu_2"] == pytest.approx(0, abs=1e-6)


def test_bleu_of_the_papers_candidates() -> None:
    """Papineni et al. 2002, examples 1 and 2: unigram precisions 17/18 and 8/14, bigram 10/17 and 1/13."""
    references = [
        "It is a guide to action that ensures that the military will forever heed Party commands",
        "It is the guiding principle which guarantees the military forces always being under the command of the Party",
        "It is the practical guide for the army always to heed the directions of the party",
    ]
    first = "It is a guide to action which ensures that the military always obeys the commands of the party"
    second = "It is to insure the troops forever hearing the activity guidebook that party direct"
    names = ["bleu_1", "bleu_2"]
    for caption, unigrams, bigrams in ((first, 17 / 18, 10 / 17), (second, 8 / 14, 1 / 13)):
        values = metrics.score({"1": caption}, {"1": references}, names).values
        length = len(caption.split())
        penalty = 1.0 if length >= 16 else math.exp(1 - 16 / length)
        assert values["bleu_1"] == pytest.approx(unigrams * penalty, abs=1e-6)
        assert values["bleu_2"] == pytest.approx(math.sqrt(unigrams * bigrams) * penalty, abs=1e-6)


def test_rouge_l_takes_precision_and_recall_from_different_references() -> None:
    # "a dog" is half of the longer reference's words and all of the shorter's; all its own words are in both.
    scores = metrics.score({"1": "a dog"}, {"1": ["a dog runs fast", "a dog"]}, ["coco_rouge_l"])
    assert scores.values["coco_rouge_l"] == pytest.approx(1.0)
    half = metrics.score({"1": "a dog"}, {"1": ["a dog runs fast"]}, ["coco_rouge_l"]).values["coco_rouge_l"]
    assert half == pytest.approx((1 + 1.44) * 0.5 / (0.5 + 1.44))


def test_cider_d_by_hand() -> None:
    """Two images, no words in common: every n-gram weighs ln 2, so a perfect caption has cosine 1 for each n it has."""
    perfect = metrics.score(
        {"1": "red dog", "2": "one cat"}, {"1": ["red dog"], "2": ["one cat"]}, ["cider_d"]
    )
    assert perfect.values["cider_d"] == pytest.approx(10 * 2 / 4)
    # One of two words right: cosine 1/2 for n = 1, and no bigram.
    half = metrics.score({"1": "red cow", "2": "one cat"}, {"1": ["red dog"], "2": ["one cat"]}, ["cider_d"])
    assert half.per_image["cider_d"]["1"] == pytest.approx(10 * 0.5 / 4)


def test_one_image_alone_has_no_cider() -> None:
    assert metrics.score({"1": "a dog"}, {"1": ["a dog"]}, ["cider_d"]).values["cider_d"] == 0.0
