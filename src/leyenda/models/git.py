"""GIT: the image's patches and the caption's tokens are one sequence of one transformer.

Wang et al. 2022, "GIT: A Generative Image-to-text Transformer for Vision and Language", arXiv:2205.14100.
"""

from __future__ import annotations

from typing import Any, cast

import torch

from leyenda.models.families import configured_ends, padding_mask


class Git:
    """The GIT family (`microsoft/git-base` and its kin)."""

    model_types: tuple[str, ...] = ("git",)
    auto_class = "AutoModelForCausalLM"

    def caption_token_ids(self, tokenizer: Any, caption: str, max_tokens: int) -> list[int]:
        """`[CLS] words [SEP]`."""
        words = tokenizer(caption, add_special_tokens=False)["input_ids"][: max_tokens - 2]
        return [tokenizer.cls_token_id, *words, tokenizer.sep_token_id]

    def training_inputs(
        self, model: Any, pixel_values: torch.Tensor, token_ids: torch.Tensor, lengths: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Labels are the ids themselves: the model shifts them past the image positions."""
        mask = padding_mask(lengths, token_ids.shape[1])
        labels = token_ids.masked_fill(mask == 0, -100)
        labels[:, 0] = -100  # the start token is given, never predicted
        return {
            "pixel_values": pixel_values,
            "input_ids": token_ids,
            "attention_mask": mask,
            "labels": labels,
        }

    def image_encoder(self, model: Any) -> torch.nn.Module:
        """The CLIP-like vision tower."""
        return cast(torch.nn.Module, model.git.image_encoder)

    def max_caption_tokens(self, model: Any) -> int:
        """Text positions start at 0 behind the image, so all of them are the caption's."""
        return int(model.config.max_position_embeddings)

    def prompt_length(self, model: Any) -> int:
        """`generate` starts from `[CLS]`."""
        return 1

    def end_token_ids(self, model: Any) -> list[int]:
        """`[SEP]`, as the checkpoint's generation settings name it."""
        return configured_ends(model.generation_config)
