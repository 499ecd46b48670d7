"""Any vision encoder with any text decoder, as `transformers.VisionEncoderDecoderModel` joins them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch

from leyenda.models.families import (
    CaptionsOfImages,
    Images,
    OnlyPlain,
    configured_ends,
    one_caption_each,
    one_row_each,
    pad,
)


class VisionEncoderDecoder(OnlyPlain):
    """Encoder-decoder captioners (`nlpconnect/vit-gpt2-image-captioning` and its kin)."""

    model_types: tuple[str, ...] = ("vision-encoder-decoder",)
    auto_class = "AutoModelForImageTextToText"

    def caption_token_ids(self, tokenizer: Any, caption: str, max_tokens: int) -> list[int]:
        """`words END`; the model puts its start token in front by itself."""
        end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
        return [*tokenizer(caption, add_special_tokens=False)["input_ids"][: max_tokens - 1], end]

    def start_token_ids(self, tokenizer: Any) -> list[int]:
        """None: see `caption_token_ids`."""
        return []

    def training_inputs(
        self, model: Any, images: Images, token_ids: CaptionsOfImages
    ) -> dict[str, torch.Tensor]:
        """Only labels are needed: the model shifts them right to make the decoder's input."""
        images, captions = one_caption_each(images, token_ids)
        padded, mask = pad(captions)
        return {**images, "labels": padded.masked_fill(mask == 0, -100)}

    def next_logits(self, model: Any, pixel_values: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """One forward pass of the decoder; pictures are encoded once, when it is first asked."""
        seen: list[torch.Tensor] = []

        def logits(ids: torch.Tensor) -> torch.Tensor:
            if not seen:
                seen.append(model.encoder(pixel_values=pixel_values).last_hidden_state)
            states = one_row_each(seen[0], ids)
            output = model(encoder_outputs=(states,), decoder_input_ids=ids, use_cache=False)
            return cast(torch.Tensor, output.logits[:, -1])

        return logits

    def image_encoder(self, model: Any) -> torch.nn.Module:
        """The encoder."""
        return cast(torch.nn.Module, model.encoder)

    def max_caption_tokens(self, model: Any) -> int:
        """The decoder's positions, whatever its architecture calls them."""
        config = model.config.decoder
        for name in ("max_position_embeddings", "n_positions"):
            if getattr(config, name, None):
                return int(getattr(config, name))
        return 512

    def prompt_length(self, model: Any) -> int:
        """`generate` starts from the decoder's start token."""
        return 1

    def end_token_ids(self, model: Any) -> list[int]:
        """As the checkpoint's generation settings name them."""
        return configured_ends(model.generation_config)
