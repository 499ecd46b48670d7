"""The training set as picture-caption pairs, in an order that depends only on seed and epoch.

Nothing here reads a global random state: which caption an image shows, and where it stands in an epoch, follow from
(seed, epoch, id) alone. That is what lets a resumed run see exactly what the undisturbed run would have seen.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset, Sampler

from leyenda.data.examples import Examples
from leyenda.models import CaptioningModel
from leyenda.training.augmentation import view_of_epoch
from leyenda.training.pictures import Pictures


def caption_of_epoch(captions: tuple[str, ...], example_id: str, epoch: int, seed: int) -> str:
    """One caption at random; over as many epochs as there are captions, each is shown once.

    Args:
        captions: the image's captions, at least one.
        example_id: the image.
        epoch: from 0.
        seed: of the run.

    >>> sorted(caption_of_epoch(("a", "b", "c"), "x.jpg", epoch, seed=0) for epoch in range(3))
    ['a', 'b', 'c']
    """
    lap, position = divmod(epoch, len(captions))
    digest = hashlib.blake2b(f"{seed}\0{lap}\0{example_id}".encode(), digest_size=8).digest()
    order = list(range(len(captions)))
    random.Random(digest).shuffle(order)  # noqa: S311 - not for secrets
    return captions[order[position]]


class Pairs(Dataset[dict[str, Any]]):
    """Picture-caption pairs, asked for by `(epoch, index)` as `EpochSampler` gives them.

    Args:
        examples: usable examples.
        model: tokenizes captions.
        pictures: prepares pictures.
        captions: `one` caption of each picture per epoch, or `all`.
        max_words: as for `captions_to_learn`.
        augment: show a random view of each picture, as `leyenda.training.augmentation` describes.
        max_tokens: longest caption, special tokens included.
        seed: of the run.
    """

    def __init__(
        self,
        examples: Examples,
        model: CaptioningModel,
        pictures: Pictures,
        *,
        captions: str = "one",
        max_words: int | None = None,
        augment: bool = False,
        max_tokens: int = 128,
        seed: int = 0,
    ) -> None:
        self._examples = list(examples)
        self._captions = [captions_to_learn(example.captions, max_words) for example in self._examples]
        self._model = model
        self._pictures = pictures
        self._max_tokens = min(max_tokens, model.max_caption_tokens)
        self._augment = augment
        self._seed = seed
        self._index = [
            (number, choice)
            for number, told in enumerate(self._captions)
            for choice in (range(len(told)) if captions == "all" else [None])
        ]

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        number, choice = self._index[index]
        example = self._examples[number]
        captions = self._captions[number]
        if choice is None:
            caption = caption_of_epoch(captions, example.id, epoch, self._seed)
        else:
            caption = captions[choice]
        token_ids = self._model.family.caption_token_ids(self._model.tokenizer, caption, self._max_tokens)
        pixel_values = self._pictures.pixel_values(example)
        if self._augment:
            pixel_values = view_of_epoch(pixel_values, example.id, epoch, self._seed)
        return {"pixel_values": pixel_values, "token_ids": token_ids}


def captions_to_learn(captions: Sequence[str], max_words: int | None) -> tuple[str, ...]:
    """Those of an image's captions that training shows: none empty, and brief ones only if asked for.

    Args:
        captions: at least one of them not empty.
        max_words: most words, divided by spaces; None for no limit. If all are longer, the shortest is kept.

    >>> captions_to_learn(("a dog", "", "a brown dog in the snow"), 3)
    ('a dog',)
    >>> captions_to_learn(("a brown dog in the snow", "a dog running fast"), 3)
    ('a dog running fast',)
    """
    told = tuple(caption for caption in captions if caption)
    if max_words is None:
        return told
    brief = tuple(caption for caption in told if len(caption.split()) <= max_words)
    return brief or (min(told, key=lambda caption: len(caption.split())),)


class EpochSampler(Sampler[tuple[int, int]]):
    """Every index once per epoch, shuffled by (seed, epoch); yields `(epoch, index)`.

    >>> sampler = EpochSampler(3, seed=0)
    >>> sorted(sampler) == [(0, 0), (0, 1), (0, 2)]
    True
    """

    def __init__(self, length: int, seed: int) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch to shuffle for, from 0; called by the Trainer."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        order = torch.randperm(self._length, generator=generator).tolist()
        return iter([(self._epoch, index) for index in order])


class Collator:
    """Pairs to a batch of model inputs, padded to the longest caption in it.

    Args:
        model: knows the padding id and what its family takes.
    """

    def __init__(self, model: CaptioningModel) -> None:
        self._model = model

    def __call__(self, pairs: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Keyword arguments of the model's forward, labels included."""
        return collate(
            self._model,
            torch.stack([pair["pixel_values"] for pair in pairs]),
            [pair["token_ids"] for pair in pairs],
        )


def collate(
    model: CaptioningModel, pixel_values: torch.Tensor, token_ids: list[list[int]]
) -> dict[str, torch.Tensor]:
    """Model inputs for pictures and their captions.

    Args:
        model: the model.
        pixel_values: float tensor `[batch, 3, height, width]`.
        token_ids: one list of ids per picture.
    """
    lengths = torch.tensor([len(ids) for ids in token_ids])
    padded = torch.full((len(token_ids), int(lengths.max())), _padding_id(model), dtype=torch.long)
    for row, ids in enumerate(token_ids):
        padded[row, : len(ids)] = torch.tensor(ids)
    return model.family.training_inputs(model.model, pixel_values, padded, lengths)


def _padding_id(model: CaptioningModel) -> int:
    """Masked everywhere, so for a tokenizer without a padding token any id will do."""
    padding = model.tokenizer.pad_token_id
    return int(padding) if padding is not None else 0
