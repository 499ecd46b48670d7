"""BLIP: a vision tower and a text decoder that attends to it.

Li et al. 2022, "BLIP: Bootstrapping Language-Image Pre-training", arXiv:2201.12086.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch

from leyenda.models.families import (
    CaptionsOfImages,
    Images,
    OnlyPlain,
    one_caption_each,
    one_row_each,
    pad,
)


class Blip(OnlyPlain):
    """The BLIP captioning family (`Salesforce/blip-image-captioning-base` and its kin)."""

    model_types: tuple[str, ...] = ("blip",)
    auto_class = "AutoModelForImageTextToText"

    def caption_token_ids(self, tokenizer: Any, caption: str, max_tokens: int) -> list[int]:
        """`[CLS] words [SEP]`."""
        words = tokenizer(caption, add_special_tokens=False)["input_ids"][: max_tokens - 2]
        return [*self.start_token_ids(tokenizer), *words, tokenizer.sep_token_id]

    def start_token_ids(self, tokenizer: Any) -> list[int]:
        """`[CLS]`."""
        return [tokenizer.cls_token_id]

    def training_inputs(
        self, model: Any, images: Images, token_ids: CaptionsOfImages
    ) -> dict[str, torch.Tensor]:
        """The first token is the one that `generate` begins with, so training and use agree."""
        images, captions = one_caption_each(images, token_ids)
        padded, mask = pad(captions)
        labels = padded.masked_fill(mask == 0, -100)
        labels[:, 0] = -100  # the start token is given, never predicted
        padded[:, 0] = model.config.text_config.bos_token_id
        return {**images, "input_ids": padded, "attention_mask": mask, "labels": labels}

    takes_prompts = True

    def prompt_inputs(self, model: Any, prompts: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """`[DEC] words [SEP]`: BLIP's `generate` takes the last one off."""
        start, end = model.config.text_config.bos_token_id, model.config.text_config.sep_token_id
        return {"input_ids": torch.tensor([[start, *prompt, end] for prompt in prompts], device=model.device)}

    def next_logits(self, model: Any, pixel_values: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """One forward pass of the text decoder; pictures are encoded once, when it is first asked."""
        seen: list[torch.Tensor] = []

        def logits(ids: torch.Tensor) -> torch.Tensor:
            if not seen:
                seen.append(model.vision_model(pixel_values=pixel_values).last_hidden_state)
            states = one_row_each(seen[0], ids)
            output = model.text_decoder(input_ids=ids, encoder_hidden_states=states, use_cache=False)
            return cast(torch.Tensor, output.logits[:, -1])

        return logits

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
