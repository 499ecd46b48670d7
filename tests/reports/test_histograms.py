from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.records import Prediction
from leyenda.reports.histograms import confidence_histogram, length_histogram


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30))
def test_every_caption_is_in_one_bin(lengths):
    found = length_histogram([Prediction(str(n), "w " * n, references=("a b",)) for n in lengths])
    assert sum(each.model for each in found.bins) == pytest.approx(1)
    assert sum(each.people for each in found.bins) == pytest.approx(1)
    assert len(found.bins) <= 13
    for before, after in zip(found.bins, found.bins[1:], strict=False):
        assert after.first == before.last + 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_every_confidence_is_in_one_bin(values):
    found = confidence_histogram([Prediction(str(n), "", value) for n, value in enumerate(values)], {})
    assert sum(each.share for each in found) == pytest.approx(1)
    assert found[0].low <= min(values)
    assert found[-1].high >= max(values)


def test_mean_score_of_the_sure_and_the_unsure():
    pictures = [Prediction("a", "", 0.95), Prediction("b", "", 0.91), Prediction("c", "", 0.72)]
    found = confidence_histogram(pictures, {"a": 0.0, "b": 0.5, "c": 1.0})
    assert [each.mean_score for each in found] == [1.0, None, 0.25]


def test_captions_without_confidence_have_no_histogram():
    assert confidence_histogram([Prediction("a", "")], {}) == ()


def test_no_predictions_have_no_lengths():
    assert length_histogram([]) is None
