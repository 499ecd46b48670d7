"""Whether confidence says how right a caption is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import ScoreError
from leyenda.metrics.calibration import calibration, right_captions, word_accuracy

UNIT = st.floats(0, 1)


def test_the_curve_by_hand() -> None:
    confidences = {"a": 0.95, "b": 0.85, "c": 0.85, "d": 0.35, "e": 0.3, "f": 1.0}
    right = {"a": 1, "b": 1, "c": 0, "d": 0, "e": 1, "f": 1}
    found = calibration(confidences, right, right_means="checked by hand")
    by_low = {part.low: part for part in found.bins if part.captions}
    assert set(by_low) == {0.3, 0.8, 0.9}
    assert (by_low[0.3].captions, by_low[0.3].right) == (2, 0.5)
    assert by_low[0.9].confidence == pytest.approx(0.975)  # 1.0 lies in the last bin
    assert found.expected_calibration_error == pytest.approx(
        (2 * abs(0.325 - 0.5) + 2 * abs(0.85 - 0.5) + 2 * abs(0.975 - 1.0)) / 6
    )
    # Of the 8 pairs of a right and a wrong one: a and f beat both; b ties with c and beats d; e loses to both.
    assert found.discrimination == pytest.approx((2 + 2 + 1.5 + 0) / 8)
    assert found.as_json()["right_means"] == "checked by hand"
    json.dumps(found.as_json(), allow_nan=False)


def test_confidence_that_is_the_chance_of_being_right_has_no_error() -> None:
    confidences = {f"{n}": 0.75 for n in range(4)} | {f"low{n}": 0.25 for n in range(4)}
    right = {image: float(image != "0") for image in map(str, range(4))} | {
        f"low{n}": float(n == 0) for n in range(4)
    }
    found = calibration(confidences, right)
    assert found.expected_calibration_error == 0.0
    assert found.discrimination == pytest.approx((3 * 3 * 1 + 3 * 1 * 0.5 + 1 * 3 * 0.5) / 16)


def test_right_is_defined_by_a_score_of_each_image() -> None:
    scores = metrics.score(
        {"1": "a dog runs", "2": "a cat x y", "3": "z"},
        {"1": ["a dog runs"], "2": ["a cat on grass"], "3": ["a cow in snow"]},
        ["wer", "rouge1"],
    )
    assert right_captions(scores) == ({"1": 1.0, "2": 1.0, "3": 0.0}, "wer of the image at most 0.5")
    right, meaning = right_captions(scores, "rouge1", 0.9)
    assert right == {"1": 1.0, "2": 0.0, "3": 0.0}
    assert meaning == "rouge1 of the image at least 0.9"
    assert word_accuracy(scores) == {"1": 1.0, "2": 0.5, "3": 0.0}
    with pytest.raises(ScoreError, match="no 'bleu_4' of each image"):
        right_captions(scores, "bleu_4")
    with pytest.raises(ScoreError, match="no metric 'wr'"):
        right_captions(scores, "wr")


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.tuples(UNIT, UNIT), min_size=1),
    st.integers(1, 12),
)
def test_any_confidences_give_numbers_in_range(images: dict[str, tuple[float, float]], bins: int) -> None:
    confidences = {image: sure for image, (sure, _) in images.items()}
    right = {image: good for image, (_, good) in images.items()}
    found = calibration(confidences, right, bins=bins)
    assert sum(part.captions for part in found.bins) == len(images)
    assert 0.0 <= found.expected_calibration_error <= 1.0 + 1e-12
    if len(set(right.values())) == 1:
        assert found.discrimination is None
    else:
        pairs = [(a, b) for a in images for b in images if right[a] > right[b]]
        wins = sum(
            1.0 if confidences[a] > confidences[b] else 0.5 if confidences[a] == confidences[b] else 0.0
            for a, b in pairs
        )
        assert found.discrimination == pytest.approx(wins / len(pairs))
    other = calibration(dict(reversed(confidences.items())), right, bins=bins)
    assert other.discrimination == found.discrimination
    assert other.expected_calibration_error == pytest.approx(found.expected_calibration_error)


@pytest.mark.parametrize(
    ("confidences", "right", "bins", "message"),
    [
        ({}, {}, 10, "no confidences"),
        ({"a": 0.5}, {"b": 1}, 10, "not both: 'a', 'b'"),
        ({"a": 1.5}, {"a": 1}, 10, "confidence of 'a' is 1.5"),
        ({"a": 0.5}, {"a": float("nan")}, 10, "rightness of 'a' is nan"),
        ({"a": 0.5}, {"a": 1}, 0, "0 bins"),
    ],
)
def test_what_cannot_be_compared(confidences, right, bins: int, message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        calibration(confidences, right, bins=bins)
