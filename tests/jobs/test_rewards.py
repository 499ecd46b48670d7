"""Scores as rewards: each caption's own value, as `leyenda score` gives it, whatever stands beside it in a step."""

from __future__ import annotations

import pytest

from leyenda import metrics
from leyenda.jobs.rewards import SUPPORTED, reward_of
from leyenda.metrics import document_frequencies

TOLD = [
    ("a dog runs on the grass", "a brown dog is running"),
    ("two birds on a house", "birds sit on the roof of a house", "a roof"),
    ("un niño está aquí", "the boy is here"),
    ("a dog sleeps",),
]
SAID = ["a dog runs", "two birds over a house", "un niño aquí", "the cat"]


@pytest.mark.parametrize("name", SUPPORTED)
@pytest.mark.parametrize("tokenizer", ["ptb", "unicode"])
def test_a_reward_is_the_score_of_the_caption(name, tokenizer):
    frequencies = document_frequencies.build(TOLD, tokenizer=tokenizer)
    scores = metrics.score(
        dict(zip("abcd", SAID, strict=True)),
        dict(zip("abcd", TOLD, strict=True)),
        [name],
        tokenizer=tokenizer,
        document_frequencies=frequencies,
    )
    sign = -2.5 if metrics.METRICS[name].direction == "lower" else 2.5
    expected = [sign * scores.per_image[name][number] for number in "abcd"]
    reward = reward_of({name: 2.5}, TOLD, tokenizer)
    assert reward(SAID, TOLD) == pytest.approx(expected)
    # Alone, and as one of several captions of a picture. CIDEr-D would be 0 by the n-grams of one picture.
    assert reward(SAID[1:2], TOLD[1:2]) == pytest.approx(expected[1:2])
    assert reward([*SAID, "a house"], [*TOLD, TOLD[1]])[:4] == pytest.approx(expected)


def test_scores_are_added_with_their_weights():
    parts = [reward_of({name: 1}, TOLD)(SAID, TOLD) for name in ("wer", "cider_d", "rougeL")]
    together = reward_of({"wer": 1, "cider_d": 0.3, "rougeL": 2}, TOLD)(SAID, TOLD)
    assert together == pytest.approx(
        [one + 0.3 * other + 2 * third for one, other, third in zip(*parts, strict=True)]
    )
    assert all(value < 0 for value in parts[0])


def test_what_only_counts_over_many_captions_is_not_supported():
    left_out = {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "sacrebleu", "distinct"}
    assert set(SUPPORTED) == set(metrics.METRICS) - left_out
