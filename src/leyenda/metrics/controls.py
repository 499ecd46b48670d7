"""What a score stands beside: one caption for every picture, captions on the wrong pictures, and what people get."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from leyenda.metrics.corpus import Corpus
from leyenda.metrics.document_frequencies import DocumentFrequencies
from leyenda.metrics.registry import Metric, chosen
from leyenda.metrics.scoring import measured
from leyenda.metrics.word_error import constant_rates, normalized
from leyenda.records import HumanScores, Scores

CANDIDATES = 200
"""How many captions are tried as the constant caption: those whose words are the commonest among all candidates."""

HUMAN_ROUNDS = 5
"""How many captions of an image take their turn as the human's, at most."""


def controls(
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    candidates: Sequence[str] | None = None,
    *,
    seed: int = 0,
    metrics: Sequence[str | Metric] | None = None,
    tokenizer: str = "ptb",
    document_frequencies: DocumentFrequencies | None = None,
) -> tuple[str, dict[str, Scores]]:
    """Score two captioners that see no picture, on the same images.

    `constant` gives every picture the caption with the fewest word errors (`wer`) among the candidates; ties: higher
    CIDEr-D, then alphabetical order. `shuffled` deals the model's own captions out to the wrong pictures: no picture
    keeps its own, unless there is only one.

    Args:
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it.
        candidates: captions to choose the constant from, say those of the training split; None or none: the
            references themselves. Of more than `CANDIDATES` the most central are tried.
        seed: decides the shuffling.
        metrics: as in `score`.
        tokenizer: as in `score`.
        document_frequencies: as in `score`.

    Returns:
        The constant caption, and the scores of `constant` and `shuffled`.

    Raises:
        ScoreError: as `score` does.
        MissingExtra: the part of leyenda that counts word errors is not installed.
    """
    wanted = chosen(metrics)
    corpus = Corpus.checked(hypotheses, references, tokenizer, document_frequencies)
    constant = best_constant(corpus, candidates or [text for texts in corpus.references for text in texts])
    dealt = deranged(corpus.hypotheses, seed)
    return constant, {
        "constant": measured(corpus.with_hypotheses([constant] * len(corpus.ids)), wanted),
        "shuffled": measured(corpus.with_hypotheses(dealt), wanted),
    }


def human(
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    metrics: Sequence[str | Metric] | None = None,
    tokenizer: str = "ptb",
    document_frequencies: DocumentFrequencies | None = None,
) -> HumanScores | None:
    """Score one person's captions against the other people's, and the model's against the very same ones.

    In round k each image's k-th caption (from the start again where it has fewer) is taken out of its references and
    scored as if a model had said it; the model is scored against what is left. More references give higher scores,
    so these two may be compared with each other, not with scores against all references.

    Args:
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it; images with one caption only take no part.
        metrics: as in `score`.
        tokenizer: as in `score`.
        document_frequencies: as in `score`.

    Returns:
        Means over the rounds: as many as the most captions of an image, at most `HUMAN_ROUNDS`. None when no image
        has several captions.

    Raises:
        ScoreError: as `score` does.
        MissingExtra: as `score` does.

    >>> references = {"1": ["a dog", "a dog", "a dog"], "2": ["a cat", "a cat"], "3": ["a cow"]}
    >>> found = human({"1": "a dog", "2": "a cow", "3": "a hen"}, references, metrics=["wer"])
    >>> found.people.values, found.model.values, found.people.images, found.rounds
    ({'wer': 0.0}, {'wer': 0.25}, 2, 3)
    """
    wanted = chosen(metrics)
    Corpus.checked(hypotheses, references, tokenizer, document_frequencies)
    several = [image for image in hypotheses if len(references[image]) > 1]
    if not several:
        return None
    rounds = min(HUMAN_ROUNDS, max(len(references[image]) for image in several))
    people, model = [], []
    for turn in range(rounds):
        spoke = {image: turn % len(references[image]) for image in several}
        others = {
            image: tuple(text for place, text in enumerate(references[image]) if place != spoke[image])
            for image in several
        }
        said = {image: references[image][spoke[image]] for image in several}
        corpus = Corpus.checked(said, others, tokenizer, document_frequencies)
        people.append(measured(corpus, wanted))
        model.append(measured(corpus.with_hypotheses([hypotheses[image] for image in several]), wanted))
    return HumanScores(_mean(people), _mean(model), rounds)


def _mean(rounds: Sequence[Scores]) -> Scores:
    """The mean of every value, without per-image values."""
    first = rounds[0]
    values = {name: sum(each.values[name] for each in rounds) / len(rounds) for name in first.values}
    return Scores(values, {}, first.normalization, first.images)


def best_constant(corpus: Corpus, candidates: Sequence[str]) -> str:
    """The candidate that has the lowest word error rate as the caption of every image."""
    tried = most_central(candidates, CANDIDATES)
    rates = constant_rates(corpus, tried)
    equals = [text for text, rate in zip(tried, rates, strict=True) if rate == min(rates)]
    if len(equals) == 1:
        return equals[0]
    return min(equals, key=lambda text: (-_constant_cider(corpus, text), text))


def _constant_cider(corpus: Corpus, text: str) -> float:
    return measured(corpus.with_hypotheses([text] * len(corpus.ids)), ["cider_d"]).values["cider_d"]


def most_central(captions: Sequence[str], count: int) -> list[str]:
    """The captions whose words are most common, in alphabetical order when equally so.

    A caption's centrality is the mean, over its words, of the share of captions that hold the word.

    >>> most_central(["a dog", "a cat", "purple haze", "a dog"], 2)
    ['a dog', 'a cat']
    """
    different = sorted(set(captions))
    if len(different) <= count:
        return different
    words = {text: normalized(text).split() for text in different}
    holders = Counter(word for text in captions for word in set(words[text]))

    def centrality(text: str) -> float:
        return sum(holders[word] for word in words[text]) / max(1, len(words[text]))

    return sorted(different, key=lambda text: (-centrality(text), text))[:count]


def deranged(captions: Sequence[str], seed: int) -> list[str]:
    """The captions in an order in which none stands where it stood, unless there is only one.

    The order is one random cycle through all places (Sattolo's algorithm).

    >>> deranged(["one", "two"], seed=0)
    ['two', 'one']
    """
    dealt = list(captions)
    chance = random.Random(seed)  # noqa: S311 - a control, no secret
    for place in range(len(dealt) - 1, 0, -1):
        other = chance.randrange(place)
        dealt[place], dealt[other] = dealt[other], dealt[place]
    return dealt
