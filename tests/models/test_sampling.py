"""Sampling: draws follow the model's probabilities, and a picture's draw is its own."""

from __future__ import annotations

import math
from collections import Counter

import torch

from leyenda.models import GenerationSettings
from leyenda.models.sampling import RandomChoice


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


def test_confidence_of_a_draw_is_the_models_own(reference, family_model, plain_log_probabilities, pixels):
    """Before temperature and top-p, so that confidences of all ways of searching compare."""
    settings = GenerationSettings(sample=True, temperature=0.6, top_p=0.8, max_length=8)
    with torch.no_grad():
        for picture, caption in zip(pixels[:4], family_model.generate(pixels[:4], settings), strict=True):
            expected = plain_log_probabilities(reference, picture, caption.token_ids).mean().exp().item()
            assert math.isclose(caption.confidence, expected, rel_tol=1e-4)
