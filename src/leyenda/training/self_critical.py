"""Learning from captions of the model's own, by how good they are: self-critical sequence training.

A step draws several captions of each picture and has each scored against all that people wrote about it. The words of
a caption that is better than the picture's others become more probable, those of a worse one less: so a score is
raised that counts errors or n-grams and has no gradient. What a caption is compared with is the mean of the others.

A caption that would do as well beside the step's other pictures can be made worth less, so that the model does not come
to say of all pictures what suits most of them.

Rennie et al. 2017, "Self-critical Sequence Training for Image Captioning", arXiv:1612.00563; the mean of the other
samples in the place of a greedy caption: Luo 2020, "A Better Variant of Self-Critical Sequence Training",
arXiv:2003.09971; learning from captions of other pictures: Dai and Lin 2017, "Contrastive Learning for Image
Captioning", arXiv:1710.02534.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.caption_loss import NO_WORD
from leyenda.training.caption_logits import logits_of_words
from leyenda.training.pairs import Batch, pieces

Reward = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[float]]
"""Captions and, for each of them, its picture's references to how good each is: more is better. Handed in, because
training knows no metric."""


_OTHERS = 3
"""Pictures that a caption is also held against, where contrast is asked for."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a step of reward training learns from.

    Args:
        batch: the step's pictures with captions that the model has drawn, weighted by their advantages.
        rewards: of all these captions, picture by picture.
    """

    batch: Batch
    rewards: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SelfCritical:
    """How captions are drawn and judged.

    Args:
        reward: see `Reward`.
        about: what is rewarded, in words.
        from_epoch: epochs before it, counted from 0, learn from what people wrote.
        captions: drawn of each picture, at least 2.
        max_length: most tokens of a drawn caption, the end token included.
        contrast: how much of what a caption would be worth beside other pictures of the step is taken off, in [0, 1].
    """

    reward: Reward
    about: str
    from_epoch: int
    captions: int
    max_length: int
    contrast: float = 0.0

    def drawn(self, model: CaptioningModel, batch: Batch, size: int, seed: int) -> Drawn:
        """Captions of a batch's pictures, as the model that is in training draws them without dropout.

        Which ones they are follows from seed and pictures alone; no global random state is read.

        Args:
            model: what is trained.
            batch: pictures with their references; none where a process has no part in a step.
            size: pictures that captions are drawn of at a time.
            seed: of this step.
        """
        network = model.model
        was_training = network.training
        network.eval()
        settings = GenerationSettings(sample=True, max_length=self.max_length, seed=seed)
        try:
            captions = [
                of_picture
                for piece in pieces(batch, size)
                for of_picture in model.draw(self.captions, settings, **piece["images"])
            ]
        finally:
            network.train(was_training)
        texts = [[one.text for one in each] for each in captions]
        rewards = self._rewards(texts, batch["references"])
        worth = self._worth(texts, batch["references"], rewards)
        start = model.family.start_token_ids(model.tokenizer)
        # A caption that was cut at its greatest length has no end token, and is not told to end there.
        token_ids = [[[*start, *one.token_ids] for one in each] for each in captions]
        learned: Batch = {**batch, "token_ids": token_ids, "weights": advantages(worth, self.captions)}
        return Drawn(learned, tuple(rewards))

    def _rewards(self, captions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> list[float]:
        if not captions:
            return []
        texts = [text for of_picture in captions for text in of_picture]
        wanted = [told for told in references for _ in range(self.captions)]
        return [float(reward) for reward in self.reward(texts, wanted)]

    def _worth(
        self,
        captions: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        rewards: Sequence[float],
    ) -> list[float]:
        """The rewards, less a share of what the same captions would get beside the step's other pictures."""
        turns = range(1, min(_OTHERS, len(references) - 1) + 1) if self.contrast else ()
        elsewhere = [self._rewards(captions, [*references[turn:], *references[:turn]]) for turn in turns]
        if not elsewhere:
            return list(rewards)
        return [
            own - self.contrast * sum(others) / len(others)
            for own, *others in zip(rewards, *elsewhere, strict=True)
        ]


def advantages(rewards: Sequence[float], captions: int) -> list[list[float]]:
    """How much better each caption is than the mean of its picture's other ones.

    Args:
        rewards: of all captions, picture by picture.
        captions: of each picture, at least 2.

    Returns:
        For each picture those of its captions; their sum is 0.

    >>> advantages([1.0, 0.0, 0.5, 3.0, 3.0, 3.0], 3)
    [[0.75, -0.75, 0.0], [0.0, 0.0, 0.0]]
    """
    rows = [rewards[first : first + captions] for first in range(0, len(rewards), captions)]
    # The mean of the others is (sum - own) / (captions - 1).
    return [[(own * captions - sum(row)) / (captions - 1) for own in row] for row in rows]


def weighted_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean over words of their weighted cross-entropy, for models whose own loss knows no weights.

    Args:
        logits: float `[captions, positions, vocabulary]`, as `logits_of_words` takes them.
        labels: int64 `[captions, length]`, as `logits_of_words` takes them.
        weights: float `[captions, length]`: of each label.

    Returns:
        Float scalar.

    >>> logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 4, 2], [3, 0, -100]])
    >>> usual = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    >>> torch.allclose(weighted_loss(logits, labels, torch.full((2, 3), -2.0)), -2 * usual)
    True
    """
    found, words = logits_of_words(logits, labels)
    losses = functional.cross_entropy(found, words, reduction="none")
    return (losses * weights[labels != NO_WORD]).mean()
