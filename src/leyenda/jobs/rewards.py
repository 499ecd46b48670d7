"""What a model's own captions are rewarded by: the scores that a recipe names, computed for every caption alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from leyenda import metrics
from leyenda.config import RewardRecipe
from leyenda.errors import RecipeError, near
from leyenda.metrics import document_frequencies
from leyenda.metrics.corpus import Corpus
from leyenda.training.self_critical import Reward

SUPPORTED = tuple(name for name, metric in metrics.METRICS.items() if metric.of_one)
"""Scores of which a caption alone has an honest value."""


def check_rewards(recipe: RewardRecipe) -> None:
    """See that captions can be rewarded as a recipe says.

    Raises:
        RecipeError: there is no score of that name, a caption alone has none, or there is none at all.

    >>> check_rewards(RewardRecipe(scores={"wer": 1, "distinct": 1}))
    Traceback (most recent call last):
        ...
    leyenda.errors.RecipeError: The score 'distinct' is one of many captions together: a single one cannot be \
rewarded by it. Reward by one of these: wer, wer_first, mer, wil, cer, rouge1, rouge2, rougeL, rougeLsum, cider_d, \
coco_rouge_l, chrf.
    """
    names = "Reward by one of these: " + ", ".join(SUPPORTED) + "."
    if recipe.from_epoch and not recipe.scores:
        raise RecipeError(
            f"Reward training is to begin after {recipe.from_epoch} epochs (reward.from_epoch), but no score is named.",
            "Name some, as in --reward wer,cider_d",
        )
    for name in ("contrast", "captions"):
        value = getattr(recipe, name)
        if value != getattr(RewardRecipe(), name) and not recipe.scores:
            raise RecipeError(
                f"reward.{name} is {value:g}, but no score is named to reward by.",
                "Name some, as in --reward wer,cider_d",
            )
    for name in recipe.scores:
        if name not in metrics.METRICS:
            raise RecipeError(f"There is no score {name!r} to reward by.", near(name, SUPPORTED) or names)
        if name not in SUPPORTED:
            raise RecipeError(
                f"The score {name!r} is one of many captions together: a single one cannot be rewarded by it.",
                names,
            )


def reward_of(
    scores: Mapping[str, float], references: Iterable[Sequence[str]], tokenizer: str = "ptb"
) -> Reward:
    """The sum of scores, each times its weight; of a score that is better when lower, less is more.

    Args:
        scores: names that `check_rewards` lets pass, with their weights.
        references: of all training pictures: what CIDEr-D weighs n-grams by. In the few pictures of a step every
            n-gram would be rare.
        tokenizer: as for `metrics.score`.

    Returns:
        See `Reward`.

    >>> reward = reward_of({"wer": 1, "rouge1": 2}, [["a dog"], ["a cat"]])
    >>> [round(one, 2) for one in reward(["a dog", "the dog"], [["a dog"], ["a dog"]])]
    [2.0, 0.5]
    """
    frequencies = None
    if "cider_d" in scores:
        frequencies = document_frequencies.build(
            references, tokenizer=tokenizer, origin="the training pictures"
        )

    def reward(captions: Sequence[str], wanted: Sequence[Sequence[str]]) -> Sequence[float]:
        numbers = tuple(map(str, range(len(captions))))
        corpus = Corpus(numbers, tuple(captions), tuple(map(tuple, wanted)), tokenizer, frequencies)
        total = np.zeros(len(captions))
        for name, weight in scores.items():
            metric = metrics.METRICS[name]
            values = metric.measure(corpus).per_image
            assert values is not None
            total += (-weight if metric.direction == "lower" else weight) * values
        return [float(one) for one in total]

    return reward
