"""Intervals hold the truth, and tests reject what is true, as often as they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leyenda.metrics import METRICS
from leyenda.metrics.corpus import Corpus, Statistics, ratio
from leyenda.metrics.intervals import differences, intervals
from leyenda.records import Resampling


def means(values) -> Statistics:
    return Statistics(np.column_stack([values, np.ones(len(values))]), ratio)


@pytest.fixture(scope="module")
def coco(shared: Path) -> dict[str, Statistics]:
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    corpus = Corpus.checked(case["hypotheses"], case["references"])
    names = ("wer", "bleu_4", "cider_d", "coco_rouge_l")
    return {name: METRICS[name].measure(corpus).statistics for name in names}


# With a true coverage of 95%, 1,000 experiments give 93 to 97% with probability 0.996 (binomial, standard deviation
# 0.69%); the seeds are fixed, so each test gives the same number every time.


def test_an_interval_holds_the_truth_in_93_to_97_of_100_experiments_on_made_up_errors():
    """80 images; errors are skewed and come with the length, as word errors do; the truth is known exactly."""
    chance = np.random.default_rng(11)
    lengths = chance.integers(4, 16, (1000, 80)).astype(float)
    errors = chance.poisson(lengths * chance.gamma(1.5, 0.2, (1000, 80))).astype(float)
    held = 0
    for experiment in range(1000):
        rows = Statistics(np.column_stack([errors[experiment], lengths[experiment]]), ratio)
        low, high = intervals({"wer": rows}, Resampling(resamples=600, seed=experiment))["wer"]
        held += low <= 1.5 * 0.2 <= high
    assert 930 <= held <= 970


def test_and_on_real_captions_for_means_and_for_corpus_scores(coco):
    """Experiments draw 80 of the 1,000 images of the COCO example; the truth is the score of all 1,000."""
    truth = {name: float(each.combine(each.rows.sum(axis=0))) for name, each in coco.items()}
    chance = np.random.default_rng(12)
    held = dict.fromkeys(coco, 0)
    for experiment in range(1000):
        drawn = chance.integers(0, 1000, 80)
        sample = {name: Statistics(each.rows[drawn], each.combine) for name, each in coco.items()}
        for name, (low, high) in intervals(sample, Resampling(resamples=600, seed=experiment)).items():
            held[name] += low <= truth[name] <= high
    assert {name: count for name, count in held.items() if not 930 <= count <= 970} == {}


def test_the_interval_of_a_difference_holds_the_truth(coco):
    """The other captioner says the same on most images and is worse by a known mean on the others."""
    chance = np.random.default_rng(13)
    population = coco["cider_d"].rows[:, 0]
    other = population * np.where(chance.random(1000) < 0.7, 1.0, chance.random(1000))
    truth = (other - population).mean()
    held = 0
    for experiment in range(1000):
        drawn = chance.integers(0, 1000, 80)
        a, b = means(population[drawn]), means(other[drawn])
        how = Resampling(resamples=600, permutations=1, seed=experiment)
        low, high = differences({"x": a}, {"x": b}, how)["x"].interval
        held += low <= truth <= high
    assert 930 <= held <= 970


@pytest.mark.parametrize("kind", ["mean", "rate"])
def test_the_permutation_test_rejects_a_true_null_at_4_to_6_of_100(kind):
    """The null: which of two captions is whose is a matter of chance.

    At a true level of 5%, 4,000 experiments reject 4 to 6% with probability 0.996 (standard deviation 0.34%).
    """
    chance = np.random.default_rng(14)
    rejected = 0
    for experiment in range(4000):
        length = chance.integers(4, 16, 30).astype(float)
        errors = chance.gamma(1.0, 2.0, (2, 30))
        columns = np.ones(30) if kind == "mean" else length
        a, b = (Statistics(np.column_stack([side, columns]), ratio) for side in errors)
        how = Resampling(resamples=1, permutations=199, seed=experiment)
        rejected += differences({"x": a}, {"x": b}, how)["x"].p_value <= 0.05
    assert 160 <= rejected <= 240


def test_a_difference_that_is_there_is_found(coco):
    worse = Statistics(coco["cider_d"].rows * [0.8, 1.0], ratio)
    found = differences({"cider_d": coco["cider_d"]}, {"cider_d": worse}, Resampling(permutations=999))[
        "cider_d"
    ]
    assert found.p_value == 1 / 1000
    assert found.interval[0] < found.difference < found.interval[1] < 0


def test_few_permutations_are_counted_exactly():
    """Three images, 8 ways to deal: all signs equal is one of 2 ways that differ as much, so p nears 1/4."""
    how = Resampling(permutations=40_000)
    p_value = differences({"x": means([0, 0, 0])}, {"x": means([1, 2, 4])}, how)["x"].p_value
    assert p_value == pytest.approx(0.25, abs=0.01)


def test_paired_intervals_are_narrower_than_the_difference_of_two():
    chance = np.random.default_rng(3)
    a = chance.random(200)
    b = a + chance.normal(0.02, 0.01, 200)
    low, high = differences({"x": means(a)}, {"x": means(b)}, Resampling())["x"].interval
    assert 0.015 < low < high < 0.025


def test_a_seed_gives_the_same_and_another_seed_about_the_same():
    values = {"x": means(np.random.default_rng(1).random(50))}
    first, again, other = (intervals(values, Resampling(seed=seed))["x"] for seed in (1, 1, 2))
    assert first == again != other
    assert first == pytest.approx(other, abs=0.02)


def test_one_image_has_no_interval_and_proves_nothing():
    one, other = {"x": means([0.2])}, {"x": means([0.9])}
    assert intervals(one, Resampling()) == {}
    found = differences(one, other, Resampling())["x"]
    assert found.interval is None
    assert found.p_value == 1.0
    assert found.difference == pytest.approx(0.7)


def test_images_that_are_all_alike_give_no_width_and_no_difference():
    same = {"x": means([0.1] * 30)}
    assert intervals(same, Resampling())["x"] == pytest.approx((0.1, 0.1), abs=1e-12)
    found = differences(same, same, Resampling())["x"]
    assert found.interval == pytest.approx((0.0, 0.0), abs=1e-12)
    assert found.p_value == 1.0


def test_nothing_to_resample_is_nothing():
    assert intervals({}, Resampling()) == {}
    assert differences({}, {}, Resampling()) == {}


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="metrics"):
        differences({"x": means([1])}, {"y": means([1])}, Resampling())
    with pytest.raises(ValueError, match="images"):
        differences({"x": means([1])}, {"x": means([1, 2])}, Resampling())


@pytest.mark.parametrize("tokenizer", ["ptb", "unicode"])
def test_every_metric_is_what_its_sums_say(tokenizer):
    hypotheses = {"1": "a dog runs on the grass", "2": "", "3": "a cat", "4": "two red birds, flying!"}
    references = {
        "1": ["a dog runs", "the dog is running"],
        "2": ["nothing here"],
        "3": ["a cat", "the small cat sits"],
        "4": ["two birds fly over a house"],
    }
    corpus = Corpus.checked(hypotheses, references, tokenizer)
    without = set()
    for name, metric in METRICS.items():
        found = metric.measure(corpus)
        if found.statistics is None:
            without.add(name)
            continue
        assert found.statistics.combine(found.statistics.rows.sum(axis=0)) == pytest.approx(found.value), name
        assert len(found.statistics.rows) == 4
        assert np.isfinite(found.statistics.combine(found.statistics.rows)).all(), name
        assert found.statistics.combine(found.statistics.rows) == pytest.approx(found.per_image), name
    assert "distinct" in without
    assert not without & {"wer", "cer", "rouge1", "bleu_4", "cider_d", "coco_rouge_l"}


def test_portions_do_not_change_what_is_drawn_in_all(monkeypatch):
    """Memory is bounded by drawing some resamples at a time; the interval stays what it is, up to chance."""
    values = {"x": means(np.random.default_rng(1).random(50))}
    at_once = intervals(values, Resampling())["x"]
    monkeypatch.setattr("leyenda.metrics.intervals.CELLS", 170)
    assert intervals(values, Resampling())["x"] == pytest.approx(at_once, abs=0.01)
