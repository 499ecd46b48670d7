"""BLIP: a vision tower and a text decoder that attends to it.

Li et al. 2022, "BLIP: Bootstrapping Language-Image Pre-training", arXiv:2201.12086.
"""

from __future__ import annotations

from typing import Any, cast

import torch

from leyenda.models.git import Git


class Blip(Git):
    """The BLIP captioning family (`Salesforce/blip-image-captioning-base` and its kin); it reads captions as GIT."""

    model_types: tuple[str, ...] = ("blip",)
    auto_class = "AutoModelForImageTextToText"

    def training_inputs(
        self, model: Any, pixel_values: torch.Tensor, token_ids: torch.Tensor, lengths: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """As GIT's, but the first token is the one that `generate` begins with, so training and use agree."""
        inputs = super().training_inputs(model, pixel_values, token_ids, lengths)
        inputs["input_ids"] = token_ids.clone()
        inputs["input_ids"][:, 0] = model.config.text_config.bos_token_id
        return inputs

    def image_encoder(self, model: Any) -> torch.nn.Module:
        """The vision transformer."""
        return cast(torch.nn.Module, model.vision_model)

    def max_caption_tokens(self, model: Any) -> int:
        """The text decoder's positions."""
        return int(model.config.text_config.max_position_embeddings)

    def prompt_length(self, model: Any) -> int:
        """`generate` starts from the decoder's start token."""
        return 1

    def end_token_ids(self, model: Any) -> list[int]:
        """BLIP's `generate` ends at the text decoder's `[SEP]`, whatever its generation settings name."""
        return [int(model.config.text_config.sep_token_id)]
