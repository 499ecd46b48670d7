from __future__ import annotations

import dataclasses
import math

import pytest

from leyenda.records import EvaluationResult, Prediction, Scores
from leyenda.reports.texts import wording
from leyenda.reports.verdict import contenders, headline, main_metric, warnings

SAY = wording("en")


def evaluation(values, controls=None, images=200, captions=("a", "b")):
    others = {name: Scores(scores, images=images) for name, scores in (controls or {}).items()}
    predictions = tuple(
        Prediction(str(n), captions[n % len(captions)], references=(f"people say {n}",))
        for n in range(images)
    )
    return EvaluationResult("m", Scores(values, images=images), others, "one", predictions)


@pytest.mark.parametrize(
    ("wer", "sentence"),
    [
        (0.0, "Not one word is wrong, missing or too many."),
        (0.004, "Of 100 words, fewer than one is wrong, missing or too many."),
        (0.011, "Of 100 words, 1 is wrong, missing or too many."),
        (0.08, "Of 100 words, 8 are wrong, missing or too many."),
        (1.3, "For every 100 words that people wrote, the model makes 130 mistakes."),
    ],
)
def test_headline(wer, sentence):
    assert headline(evaluation({"wer": wer}), SAY) == sentence


def test_headline_without_word_errors_names_the_score():
    assert headline(evaluation({"rougeL": 0.5, "bleu_4": 0.25}), SAY) == "ROUGE-L: 0.500"
    assert main_metric(evaluation({"rougeL": 0.5, "cider_d": 1.0})) == "cider_d"


def test_contenders_are_the_model_its_base_and_the_controls():
    rows = contenders(
        evaluation({"wer": 0.1}, {"constant": {"wer": 0.8}, "shuffled": {"wer": 0.4}}),
        evaluation({"wer": 0.6}),
        SAY,
    )
    assert [(row.value, row.length) for row in rows] == [
        ("10.0", pytest.approx(0.125)), ("60.0", pytest.approx(0.75)), ("80.0", 1.0), ("40.0", 0.5)
    ]  # fmt: skip
    assert [row.is_model for row in rows] == [True, False, False, False]


def titles(*args):
    return [warned.title for warned in warnings(*args, SAY)]


def test_a_good_model_gets_no_warning():
    good = evaluation(
        {"wer": 0.1, "cider_d": 2.0, "distinct": 0.9},
        {"constant": {"wer": 0.7, "cider_d": 0.1}, "shuffled": {"wer": 0.9, "cider_d": 0.0}},
    )
    assert titles(good, None, ()) == []


@pytest.mark.parametrize(
    ("metric", "ours", "theirs"), [("wer", 0.8, 0.7), ("wer", 0.7, 0.7), ("cider_d", 0.1, 0.2)]
)
def test_not_beating_a_control(metric, ours, theirs):
    weak = evaluation({metric: ours}, {"constant": {metric: theirs}})
    (warned,) = warnings(weak, None, (), SAY)
    assert warned.title == "The model does not beat “One sentence for all”."
    assert f"{ours:.3f}" in warned.detail
    assert f"{theirs:.3f}" in warned.detail
    assert "leyenda data check" in warned.advice


def test_the_same_caption_for_most_pictures():
    dull = evaluation({"wer": 0.5, "distinct": 0.01}, captions=("a dog", "a dog", "a cat"))
    (warned,) = warnings(dull, None, (), SAY)
    assert warned.title == "The model says the same thing about many pictures."
    assert warned.detail.startswith("“a dog” stands under 134 of 200 pictures")


def test_few_different_captions_are_right_where_people_repeat_themselves():
    labels = evaluation({"wer": 0.1, "distinct": 0.01})
    same = [dataclasses.replace(each, references=("a label",)) for each in labels.predictions]
    assert titles(dataclasses.replace(labels, predictions=tuple(same)), None, ()) == []


def test_worse_than_before_tuning():
    assert titles(evaluation({"wer": 0.6}), evaluation({"wer": 0.5}), ()) == ["Tuning made the model worse."]
    assert titles(evaluation({"wer": 0.5}), evaluation({"wer": 0.6}), ()) == []


def test_few_pictures():
    assert titles(evaluation({"wer": 0.1}, images=99), None, ()) == [
        "Few pictures: differences of a few points may be luck."
    ]


def test_a_loss_that_stopped_being_a_number():
    rows = [{"step": 10, "loss": 1.0}, {"step": 20, "loss": math.nan}]
    (warned,) = warnings(evaluation({"wer": 0.1}), None, rows, SAY)
    assert "step 20" in warned.detail
