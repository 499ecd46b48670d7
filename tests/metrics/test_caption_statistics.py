"""What captions are like."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.errors import ScoreError
from leyenda.metrics.caption_statistics import caption_statistics

CAPTIONS = st.lists(st.text("ab ñ.,!", max_size=12), min_size=1, max_size=8)


def test_by_hand() -> None:
    captions = ["A dog runs.", "a dog runs", "The dog runs on grass", "..."]
    found = caption_statistics(
        captions, training_captions=["the DOG runs on grass!", "a cat"], confidences=[0.5, 0.75, 1.0, 0.25]
    )
    assert found.captions == 4
    assert found.lengths == {0: 1, 3: 2, 5: 1}
    assert found.mean_words == pytest.approx(11 / 4)
    assert found.median_words == 3.0
    assert found.vocabulary == 6  # a dog runs the on grass
    # 11 words of 6 kinds; bigrams: a dog, dog runs (twice each), the dog, dog runs, runs on, on grass.
    assert found.distinct_ngrams == pytest.approx({1: 6 / 11, 2: 5 / 8, 3: 4 / 5, 4: 2 / 2})
    assert found.distinct_captions == pytest.approx(3 / 4)
    assert found.copied == pytest.approx(1 / 4)
    assert found.mean_confidence == pytest.approx(0.625)
    written = json.loads(json.dumps(found.as_json()))
    assert written["lengths"] == {"0": 1, "3": 2, "5": 1}
    assert written["distinct_2"] == pytest.approx(5 / 8)
    assert "lower case" in written["normalization"]


def test_what_was_not_given_is_not_made_up() -> None:
    found = caption_statistics(["a dog"])
    assert found.copied is None
    assert found.mean_confidence is None
    assert caption_statistics(["a dog"], training_captions=[]).copied == 0.0


@given(CAPTIONS, CAPTIONS)
def test_every_number_is_finite_and_order_does_not_matter(captions: list[str], training: list[str]) -> None:
    found = caption_statistics(captions, training_captions=training)
    assert caption_statistics(captions[::-1], training_captions=training) == found
    shares = [*found.distinct_ngrams.values(), found.distinct_captions, found.copied]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert math.isfinite(found.mean_words)
    assert sum(found.lengths.values()) == len(captions)


@pytest.mark.parametrize(
    ("captions", "options", "message"),
    [
        ([], {}, "no captions to describe"),
        ("a dog", {}, "no captions to describe"),
        (["a dog", None], {}, "A caption is None"),
        (["a dog"], {"confidences": [1.5]}, "A confidence is 1.5"),
        (["a dog"], {"confidences": [float("nan")]}, "A confidence is nan"),
        (["a dog"], {"confidences": [0.5, 0.5]}, "2 confidences for 1 captions"),
    ],
)
def test_what_cannot_be_described(captions, options, message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        caption_statistics(captions, **options)
