"""The model families that leyenda captions with and fine-tunes; one file each, one line here.

A family knows what differs between architectures: which `transformers` class loads them, how a caption
becomes input ids and labels, and which module looks at the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import torch

from leyenda.errors import ModelError
from leyenda.models.search import Decoder

Images: TypeAlias = Mapping[str, torch.Tensor]
"""`{"pixel_values": [images, 3, height, width]}`, or `{"image_features": [images, positions, width]}`."""

CaptionsOfImages: TypeAlias = Sequence[Sequence[Sequence[int]]]
"""For each image, the token ids of each of its captions."""


class Family(Protocol):
    """What differs between captioning architectures."""

    model_types: tuple[str, ...]
    """Values of `config.model_type` that this family handles."""

    auto_class: str
    """The `transformers` auto class that loads it."""

    def caption_token_ids(self, tokenizer: Any, caption: str, max_tokens: int) -> list[int]:
        """A caption as the model is to write it: start token (where it has one), words, end token.

        Args:
            tokenizer: the checkpoint's tokenizer.
            caption: plain text.
            max_tokens: longest result, special tokens included; the words are cut, the end token stays.
        """

    def start_token_ids(self, tokenizer: Any) -> list[int]:
        """What `caption_token_ids` puts in front of the words; `training_inputs` gives it, and asks for the rest."""

    def training_inputs(
        self, model: Any, images: Images, token_ids: CaptionsOfImages
    ) -> dict[str, torch.Tensor]:
        """Keyword arguments of `model.forward`, labels included: -100 where no word is to be predicted.

        Args:
            model: the model.
            images: see `Images`.
            token_ids: of `caption_token_ids`, for each image those of its captions; at least one caption each.
        """

    takes_image_features: bool
    """Whether `training_inputs` and `decoder` take features instead of pixels."""

    def image_features(self, model: Any, pixel_values: torch.Tensor) -> torch.Tensor:
        """What the image encoder makes of pixels, `[images, positions, width]`, where features are taken."""

    def make_fast(self, model: Any) -> None:
        """Let the model compute the same with less work, where leyenda has such a way; changed in place."""

    def lower_precision(self, model: Any, dtype: torch.dtype) -> None:
        """Let a model of float32 weights compute in a shorter number format; changed in place."""

    def pack(self, model: Any) -> bool:
        """Give a model of float32 weights packed bf16 ones (`leyenda.models.packed`), where leyenda has such a way.

        Returns:
            Whether it was done. The model is changed in place and can only caption and be saved.
        """

    def searches(self, model: Any) -> bool:
        """Whether there is a `decoder`, whose search several threads can do at the same time with one model."""

    def decoder(
        self, model: Any, images: Images, longest: int, prompts: Sequence[Sequence[int]] = ()
    ) -> Decoder:
        """A decoder for leyenda's own search, where `searches` says so.

        Args:
            model: the model.
            images: see `Images`.
            longest: most tokens of a caption, the prompt not counted.
            prompts: for each image the ids that its caption goes on from; empty when none has any.
        """

    takes_prompts: bool
    """Whether a caption can go on from words that the user gives."""

    def prompt_inputs(self, model: Any, prompts: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """What `generate` needs beside pixels to go on from prompts, all of one length, where prompts are taken."""

    def next_logits(self, model: Any, pixel_values: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function that tells what follows in the middle of `generate`, without its cache.

        Args:
            model: the model.
            pixel_values: `[images, 3, height, width]`.

        Returns:
            It takes ids `[rows, length]`, images apart and their beams together, and gives logits `[rows, vocabulary]`.
        """

    def image_encoder(self, model: Any) -> torch.nn.Module:
        """The module that looks at the picture, for `--freeze image_encoder`."""

    def max_caption_tokens(self, model: Any) -> int:
        """How many tokens a caption can have, special tokens included, before positions run out."""

    def prompt_length(self, model: Any) -> int:
        """How many ids `generate` puts in front of the caption."""

    def end_token_ids(self, model: Any) -> list[int]:
        """The ids that end a caption in `generate`; empty when only its length does."""


def pad(rows: Sequence[Sequence[int]], filling: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of different lengths as one int64 tensor `[rows, longest]`, and a mask that is 1 where an id is real.

    Padding is masked everywhere, so any id of the vocabulary will do for it.

    >>> [part.tolist() for part in pad([[5], [6, 7, 8]])]
    [[[5, 0, 0], [6, 7, 8]], [[1, 0, 0], [1, 1, 1]]]
    """
    longest = max(map(len, rows))
    padded = torch.tensor([[*row, *[filling] * (longest - len(row))] for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return padded, (torch.arange(longest)[None, :] < lengths[:, None]).long()


def one_caption_each(images: Images, token_ids: CaptionsOfImages) -> tuple[Images, list[Sequence[int]]]:
    """Repeat each image for its captions, for models that take pairs.

    Returns:
        Images and ids, as many of the one as of the other.
    """
    captions = [caption for of_image in token_ids for caption in of_image]
    if len(captions) == len(token_ids):
        return images, captions
    repeats = torch.tensor([len(of_image) for of_image in token_ids])
    return {name: part.repeat_interleave(repeats, dim=0) for name, part in images.items()}, captions


class OnlyPlain:
    """What families have in common for which `transformers`' own code does the work."""

    takes_image_features = False

    def image_features(self, model: Any, pixel_values: torch.Tensor) -> torch.Tensor:
        """Never asked for: see `takes_image_features`."""
        raise NotImplementedError

    def make_fast(self, model: Any) -> None:
        """There is no faster way."""

    def lower_precision(self, model: Any, dtype: torch.dtype) -> None:
        """All of it."""
        model.to(dtype)

    def pack(self, model: Any) -> bool:
        """There is no such way."""
        return False

    def searches(self, model: Any) -> bool:
        """`generate` does."""
        return False

    def decoder(
        self, model: Any, images: Images, longest: int, prompts: Sequence[Sequence[int]] = ()
    ) -> Decoder:
        """Never asked for: see `searches`."""
        raise NotImplementedError

    takes_prompts = False

    def prompt_inputs(self, model: Any, prompts: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """Never asked for: see `takes_prompts`."""
        raise NotImplementedError


def one_row_each(images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """`[images, ...]` repeated for the beams of each, `[rows, ...]`."""
    return images.repeat_interleave(len(rows) // len(images), dim=0)


def configured_ends(generation_config: Any) -> list[int]:
    """The end tokens that a `GenerationConfig` names: one, several or none."""
    ends = generation_config.eos_token_id
    if ends is None:
        return []
    return list(ends) if isinstance(ends, list | tuple) else [int(ends)]


def family_of(config: Any, name: str) -> Family:
    """The family that handles a checkpoint.

    Args:
        config: the checkpoint's `PretrainedConfig`.
        name: what the user called the checkpoint, for the message.

    Raises:
        ModelError: no family handles this architecture.
    """
    from leyenda.models.blip import Blip
    from leyenda.models.git import Git
    from leyenda.models.vision_encoder_decoder import VisionEncoderDecoder

    families: tuple[Family, ...] = (Git(), Blip(), VisionEncoderDecoder())
    for family in families:
        if config.model_type in family.model_types:
            return family
    known = ", ".join(model_type for family in families for model_type in family.model_types)
    raise ModelError(
        f"{name!r} is a {config.model_type!r} model, which leyenda cannot caption with.",
        f"Choose a model of one of these kinds: {known}.",
    )
