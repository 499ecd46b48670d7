"""The model families that leyenda captions with and fine-tunes; one file each, one line here.

A family knows what differs between architectures: which `transformers` class loads them, how a caption
becomes input ids and labels, and which module looks at the picture.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

from leyenda.errors import ModelError


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

    def training_inputs(
        self, model: Any, pixel_values: torch.Tensor, token_ids: torch.Tensor, lengths: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Keyword arguments of `model.forward`, labels included: -100 where no word is to be predicted.

        Args:
            model: the model.
            pixel_values: float tensor `[batch, 3, height, width]`.
            token_ids: int64 tensor `[batch, longest]` of `caption_token_ids`, padded on the right.
            lengths: int64 tensor `[batch]`: how many ids of each row are real.
        """

    def image_encoder(self, model: Any) -> torch.nn.Module:
        """The module that looks at the picture, for `--freeze image_encoder`."""

    def max_caption_tokens(self, model: Any) -> int:
        """How many tokens a caption can have, special tokens included, before positions run out."""

    def prompt_length(self, model: Any) -> int:
        """How many ids `generate` puts in front of the caption."""

    def end_token_ids(self, model: Any) -> list[int]:
        """The ids that end a caption in `generate`; empty when only its length does."""


def padding_mask(lengths: torch.Tensor, longest: int) -> torch.Tensor:
    """Int64 mask `[batch, longest]`: 1 where a token is real.

    >>> padding_mask(torch.tensor([1, 3]), 3).tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    return (torch.arange(longest, device=lengths.device)[None, :] < lengths[:, None]).long()


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
