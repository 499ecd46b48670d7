from __future__ import annotations

import random

from leyenda.records import Prediction
from leyenda.reports.error_patterns import SAMPLE, Pattern, Swap, error_patterns


def predictions(*pairs):
    return [Prediction(str(place), caption, references=refs) for place, (caption, refs) in enumerate(pairs)]


def test_a_word_is_missed_when_half_of_the_people_say_it():
    found = error_patterns(predictions(("a lawn", ("a dog", "the dog", "a lawn", "grass"))))
    assert Pattern("dog", 1, 1) in found.missed
    assert "grass" not in {pattern.word for pattern in found.missed}


def test_a_word_is_invented_when_nobody_says_it():
    found = error_patterns(predictions(("a red dog", ("a dog", "one")), ("a red cat", ("a red cat",))))
    assert found.invented == (Pattern("red", 1, 2),)


def test_swaps_need_two_pictures():
    once = error_patterns(predictions(("a cat runs", ("a dog runs",))))
    twice = error_patterns(predictions(*[("a cat runs", ("a dog runs",))] * 2))
    assert once.swapped == ()
    assert twice.swapped == (Swap("dog", "cat", 2),)


def test_the_order_of_pictures_does_not_matter():
    pairs = [(f"a {random.Random(n).choice('bcd')} runs", (f"a {'xyz'[n % 3]} runs",)) for n in range(60)]
    backwards = error_patterns(predictions(*reversed(pairs)))
    assert error_patterns(predictions(*pairs)) == backwards


def test_large_sets_are_sampled_and_say_so():
    found = error_patterns(predictions(*[("a", ("b",))] * (SAMPLE + 5)))
    assert found.images == SAMPLE
    assert found.missed == (Pattern("b", SAMPLE, SAMPLE),)


def test_without_references_nothing_is_judged():
    assert error_patterns([Prediction("1", "a dog")]).images == 0
