"""Sampling: draws follow the model's probabilities, and a picture's draw is its own."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from leyenda.models import GenerationSettings
from leyenda.models.sampling import ChoiceOfMany, RandomChoice


def draws(logits, *, temperature=1.0, top_p=1.0, number=4000):
    """Drawn ids `[number]`: each row is another picture with the same logits."""
    pictures = torch.arange(number * 3.0).reshape(number, 3, 1, 1)
    scores = torch.tensor(logits).expand(number, -1)
    choice = RandomChoice(pictures, temperature, top_p, seed=11)
    return choice(scores).argmax(-1).tolist()


def assert_frequencies(drawn, probabilities):
    counts = Counter(drawn)
    for token, probability in enumerate(probabilities):
        # Five standard deviations of a binomial: the seed is fixed, so this fails always or never.
        slack = 5 * math.sqrt(probability * (1 - probability) / len(drawn)) + 1e-9
        assert abs(counts[token] / len(drawn) - probability) <= slack, token


def test_draws_follow_the_probabilities():
    probabilities = [0.5, 0.3, 0.15, 0.05]
    assert_frequencies(draws([math.log(p) for p in probabilities]), probabilities)


def test_temperature_sharpens():
    probabilities = [0.5, 0.3, 0.2]
    squared = [p * p / sum(q * q for q in probabilities) for p in probabilities]
    assert_frequencies(draws([math.log(p) for p in probabilities], temperature=0.5), squared)


def test_top_p_leaves_the_unlikely_out():
    drawn = draws([math.log(p) for p in (0.5, 0.3, 0.15, 0.05)], top_p=0.75)
    assert_frequencies(drawn, [0.625, 0.375, 0.0, 0.0])


def test_a_draw_depends_on_picture_and_seed_and_not_on_the_batch(family_model, pixels):
    settings = GenerationSettings(sample=True, seed=4, max_length=10)
    together = [c.token_ids for c in family_model.generate(pixels[:6], settings)]
    alone = [family_model.generate(pixels[i : i + 1], settings)[0].token_ids for i in range(6)]
    backwards = [c.token_ids for c in family_model.generate(pixels[:6].flip(0), settings)][::-1]
    assert together == alone == backwards
    again = [
        c.token_ids
        for c in family_model.generate(pixels[:6], GenerationSettings(sample=True, seed=5, max_length=10))
    ]
    assert again != together
    greedy = [c.token_ids for c in family_model.generate(pixels[:6], GenerationSettings(max_length=10))]
    assert greedy != together


@pytest.mark.parametrize("kind", [RandomChoice, ChoiceOfMany])
def test_draws_of_one_picture_follow_the_probabilities_and_are_independent(kind):
    probabilities = [0.5, 0.3, 0.2]
    scores = torch.tensor([math.log(p) for p in probabilities]).expand(8000, -1)
    choice = kind(torch.arange(6.0).reshape(2, 3, 1, 1), 1.0, 1.0, seed=11, draws=4000)
    drawn = choice(scores).argmax(-1).tolist()
    assert_frequencies(drawn[:4000], probabilities)
    pairs = [3 * one + other for one, other in zip(drawn[:4000], drawn[4000:], strict=True)]
    assert_frequencies(pairs, [p * q for p in probabilities for q in probabilities])


def test_one_number_a_word_draws_no_word_that_may_not_come():
    """Whatever the number is: before the first, between, and behind the last that may."""
    scores = torch.full((1000, 6), -math.inf)
    scores[:, 2], scores[:, 3] = 0.0, -40.0
    choice = ChoiceOfMany(torch.zeros(1, 3, 1, 1), 1.0, 1.0, seed=1, draws=1000)
    assert set(choice(scores).argmax(-1).tolist()) == {2}
    rows = torch.tensor([0, 999])
    choice.keep(rows)
    assert choice(scores[rows]).argmax(-1).tolist() == [2, 2]


def test_several_draws_of_a_picture_are_its_own_in_any_batch(family_model, pixels):
    settings = GenerationSettings(sample=True, seed=4, max_length=10)
    together = family_model.draw(5, settings, pixel_values=pixels[:6])
    assert [len(captions) for captions in together] == [5] * 6
    alone = [family_model.draw(5, settings, pixel_values=pixels[at : at + 1])[0] for at in range(6)]
    assert ids_of(together) == ids_of(alone)
    assert all(len(set(captions)) > 1 for captions in ids_of(together))
    fewer = family_model.draw(3, settings, pixel_values=pixels[:6])
    assert [captions[:3] for captions in ids_of(together)] == ids_of(fewer)
    assert [caption.text for caption in together[0]] == [
        family_model.decode(caption.token_ids) for caption in together[0]
    ]


def ids_of(captions):
    return [[caption.token_ids for caption in of_picture] for of_picture in captions]


def test_draws_from_features_are_as_long_as_positions_allow(family_model, pixels):
    if not family_model.family.takes_image_features:
        longest = family_model.draw(
            2, GenerationSettings(sample=True, max_length=500), pixel_values=pixels[:2]
        )
    else:
        features = family_model.image_features(pixels[:2])
        longest = family_model.draw(
            2, GenerationSettings(sample=True, max_length=500), image_features=features
        )
    lengths = [len(caption.token_ids) for captions in longest for caption in captions]
    assert max(lengths) <= family_model.max_new_tokens


def test_each_of_several_draws_has_the_probability_of_its_own_words(
    reference, family_model, plain_log_probabilities, pixels
):
    """Captions of a picture end at different words, and pictures leave the batch."""
    settings = GenerationSettings(sample=True, seed=9, max_length=12)
    drawn = family_model.draw(4, settings, pixel_values=pixels[:8])
    with torch.no_grad():
        for picture, captions in zip(pixels[:8], drawn, strict=True):
            for caption in captions:
                expected = plain_log_probabilities(reference, picture, caption.token_ids).mean().exp().item()
                assert math.isclose(caption.confidence, expected, rel_tol=1e-4)


def test_confidence_of_a_draw_is_the_models_own(reference, family_model, plain_log_probabilities, pixels):
    """Before temperature and top-p, so that confidences of all ways of searching compare."""
    settings = GenerationSettings(sample=True, temperature=0.6, top_p=0.8, max_length=8)
    with torch.no_grad():
        for picture, caption in zip(pixels[:4], family_model.generate(pixels[:4], settings), strict=True):
            expected = plain_log_probabilities(reference, picture, caption.token_ids).mean().exp().item()
            assert math.isclose(caption.confidence, expected, rel_tol=1e-4)
