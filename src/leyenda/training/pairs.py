"""The training set as pictures with their captions, in an order that depends only on seed and epoch.

Nothing here reads a global random state: which caption an image shows, and where it stands in an epoch, follow from
(seed, epoch, id) alone. That is what lets a resumed run see exactly what the undisturbed run would have seen.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, Protocol, TypedDict

import torch
from torch.utils.data import Dataset, Sampler

from leyenda.data.examples import Examples
from leyenda.models import CaptioningModel
from leyenda.models.caption_loss import NO_WORD
from leyenda.records import Example
from leyenda.training.augmentation import view_of_epoch
from leyenda.training.processes import Processes


class Images(Protocol):
    """What prepares pictures: `leyenda.training.pictures.Pictures`, or the cached features of a frozen encoder."""

    def inputs(self, examples: Sequence[Example]) -> Mapping[str, torch.Tensor]:
        """What the model takes for the pictures, one row each."""


class Batch(TypedDict):
    """Pictures with their captions, on the way to a model."""

    images: dict[str, torch.Tensor]
    """`pixel_values` `[pictures, 3, height, width]` or `image_features` `[pictures, positions, width]`."""

    token_ids: list[list[list[int]]]
    """For each picture the ids of its captions; none where a process has no part in a step."""

    references: list[tuple[str, ...]]
    """For each picture all that people wrote about it, whatever of it is learned."""

    weights: NotRequired[list[list[float]]]
    """For each picture how much each of its captions counts; where it is left out, all count alike."""


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


class Pairs(Dataset[Batch]):
    """Pictures with one caption or all of them, asked for by `(epoch, index)` as `EpochSampler` gives them.

    Args:
        examples: usable examples.
        model: tokenizes captions.
        images: prepares pictures.
        captions: `one` caption of each picture per epoch, or `all` of them together.
        max_words: as for `captions_to_learn`.
        augment: show a random view of each picture, as `leyenda.training.augmentation` describes.
        max_tokens: longest caption, special tokens included.
        seed: of the run.
        drawn: how many captions of a picture the model draws in a step of reward training, and of how many tokens at
            most, for what memory needs.
    """

    def __init__(
        self,
        examples: Examples,
        model: CaptioningModel,
        images: Images,
        *,
        captions: str = "one",
        max_words: int | None = None,
        augment: bool = False,
        max_tokens: int = 128,
        seed: int = 0,
        drawn: tuple[int, int] = (0, 0),
    ) -> None:
        self._examples = list(examples)
        self._drawn = drawn
        self._captions = [captions_to_learn(example.captions, max_words) for example in self._examples]
        self._model = model
        self._images = images
        self._all = captions == "all"
        self._max_tokens = min(max_tokens, model.max_caption_tokens)
        self._augment = augment
        self._seed = seed

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def most_captions(self) -> int:
        """How many captions a picture is shown with at most."""
        return max(map(len, self._captions), default=0) if self._all else 1

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        return self.__getitems__([key])

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> Batch:
        """A batch, empty for no keys; pictures with the longest captions first.

        A step is the sum over its batch, so their order within it is free. A batch that is computed in several
        pieces has captions of like length in each of them, and little padding.
        """
        if not keys:
            return {"images": {}, "token_ids": [], "references": []}
        spoken = [(self._token_ids(*key), key) for key in keys]
        spoken.sort(key=lambda item: -max(map(len, item[0])))
        examples = [self._examples[index] for _, (_, index) in spoken]
        images = dict(self._images.inputs(examples))
        if self._augment:
            epochs = [epoch for _, (epoch, _) in spoken]
            pixel_values = self._model.normalized(images["pixel_values"])
            images["pixel_values"] = self._views(pixel_values, examples, epochs)
        references = [captions_to_learn(example.captions, None) for example in examples]
        return {"images": images, "token_ids": [ids for ids, _ in spoken], "references": references}

    def heaviest(self, count: int) -> Batch:
        """The picture that takes the most memory, so many times over: the one with the longest captions.

        Where captions are drawn that may be longer still, it has as many and as long ones as can come.
        """
        lengths = [sum(map(len, captions)) for captions in self._captions]
        index = lengths.index(max(lengths))
        captions = self._captions[index] if self._all else (max(self._captions[index], key=len),)
        token_ids = self._tokenized(captions)
        drawn, tokens = self._drawn
        if drawn * tokens > sum(map(len, token_ids)):
            words = itertools.cycle(token_ids[0])
            token_ids = [list(itertools.islice(words, tokens)) for _ in range(drawn)]
        return {
            "images": dict(self._images.inputs([self._examples[index]] * count)),
            "token_ids": [token_ids] * count,
            "references": [captions] * count,
        }

    def _token_ids(self, epoch: int, index: int) -> list[list[int]]:
        captions = self._captions[index]
        if not self._all:
            captions = (caption_of_epoch(captions, self._examples[index].id, epoch, self._seed),)
        return self._tokenized(captions)

    def _tokenized(self, captions: Sequence[str]) -> list[list[int]]:
        family, tokenizer = self._model.family, self._model.tokenizer
        return [family.caption_token_ids(tokenizer, caption, self._max_tokens) for caption in captions]

    def _views(
        self, pixel_values: torch.Tensor, examples: Sequence[Example], epochs: Sequence[int]
    ) -> torch.Tensor:
        rows = zip(pixel_values, examples, epochs, strict=True)
        return torch.stack([view_of_epoch(row, one.id, epoch, self._seed) for row, one, epoch in rows])


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


class StepSampler(Sampler[list[tuple[int, int]]]):
    """For every optimizer step the keys of one process's pictures; all processes' together are the step's.

    Which pictures a step is on does not depend on the number of processes. In the last step of an epoch, which has
    the rest, some of them may have none.

    Args:
        epoch: gives the keys of an epoch.
        pictures: of a step.
        processes: see `leyenda.training.processes.Processes`.
        drop_last: leave out the rest of an epoch that is no whole step.

    >>> [[list(StepSampler(EpochSampler(3, 0), 2, Processes(rank, 2)))] for rank in range(2)]
    [[[[(0, 2)], [(0, 1)]]], [[[(0, 0)], []]]]
    """

    def __init__(
        self, epoch: EpochSampler, pictures: int, processes: Processes, drop_last: bool = False
    ) -> None:
        self._epoch = epoch
        self._pictures = pictures
        self._processes = processes
        self._drop_last = drop_last

    def set_epoch(self, epoch: int) -> None:
        """See `EpochSampler`."""
        self._epoch.set_epoch(epoch)

    def __len__(self) -> int:
        whole, rest = divmod(len(self._epoch), self._pictures)
        return whole + (rest > 0 and not self._drop_last)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        keys = list(self._epoch)
        for number in range(len(self)):
            step = keys[number * self._pictures : (number + 1) * self._pictures]
            yield list(self._processes.share(step))


def as_it_is(batch: Batch) -> Batch:
    """The collate function of a data set that gives whole batches."""
    return batch


def pieces(batch: Batch, size: int) -> list[Batch]:
    """The batch in parts of at most so many pictures; nothing is copied.

    >>> batch = {"images": {"pixel_values": torch.zeros(3, 3, 8, 8)}, "token_ids": [[[1]], [[2]], [[3]]]}
    >>> batch["references"] = [("a",), ("b",), ("c",)]
    >>> [piece["token_ids"] for piece in pieces(batch, 2)]
    [[[[1]], [[2]]], [[[3]]]]
    """
    return [_part(batch, slice(start, start + size)) for start in range(0, len(batch["token_ids"]), size)]


def _part(batch: Batch, rows: slice) -> Batch:
    part: Batch = {
        "images": {name: of_all[rows] for name, of_all in batch["images"].items()},
        "token_ids": batch["token_ids"][rows],
        "references": batch["references"][rows],
    }
    if "weights" in batch:
        part["weights"] = batch["weights"][rows]
    return part


def collate(model: CaptioningModel, batch: Batch) -> dict[str, Any]:
    """Keyword arguments of the model's forward, labels included; padded to the longest caption only.

    Args:
        model: the model.
        batch: pictures with their captions; pixels that are still bytes are normalised where they are.

    Returns:
        Those of `Family.training_inputs`; and where captions have weights, `weights`, float of the labels' shape.
    """
    images = batch["images"]
    if "pixel_values" in images:
        images = {"pixel_values": model.normalized(images["pixel_values"])}
    inputs = model.family.training_inputs(model.model, images, batch["token_ids"])
    if "weights" in batch:
        given = len(model.family.start_token_ids(model.tokenizer))
        inputs["weights"] = _of_labels(inputs["labels"], batch["token_ids"], batch["weights"], given)
    return inputs


def _of_labels(
    labels: torch.Tensor,
    token_ids: Sequence[Sequence[Sequence[int]]],
    weights: Sequence[Sequence[float]],
    given: int,
) -> torch.Tensor:
    """The weight of its caption for every word that is to be predicted, and 0 elsewhere.

    Words stand in the labels caption by caption, whether a row is one of them or has all of a picture's.

    Args:
        labels: int64 `[rows, length]`.
        token_ids: for each picture the ids of its captions.
        weights: for each picture those of its captions.
        given: how many tokens of each caption are not predicted.
    """
    words = [len(ids) - given for captions in token_ids for ids in captions]
    of_captions = torch.tensor([weight for of_picture in weights for weight in of_picture])
    spread = torch.zeros(labels.shape)
    spread[labels != NO_WORD] = of_captions.repeat_interleave(torch.tensor(words))
    return spread
