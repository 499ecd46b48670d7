"""GIT: the image's patches and the caption's tokens are one sequence of one transformer.

Wang et al. 2022, "GIT: A Generative Image-to-text Transformer for Vision and Language", arXiv:2205.14100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch

from leyenda.models.families import (
    CaptionsOfImages,
    Images,
    configured_ends,
    one_caption_each,
    one_row_each,
    pad,
)
from leyenda.models.generation import search_suits
from leyenda.models.search import Decoder


class Git:
    """The GIT family (`microsoft/git-base` and its kin)."""

    model_types: tuple[str, ...] = ("git",)
    auto_class = "AutoModelForCausalLM"

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
        """One row an image, its captions one behind the other, so that all of them share one image encoding.

        A model that is not fast cannot do that, and gets pairs.
        Labels are the ids themselves: the model shifts them past the image positions.
        """
        from leyenda.models.git_network import GitNetwork

        if not isinstance(model, GitNetwork):
            images, pairs = one_caption_each(images, token_ids)
            token_ids = [[caption] for caption in pairs]
        rows = [[token for caption in captions for token in caption] for captions in token_ids]
        padded, mask = pad(rows)
        labels = padded.masked_fill(mask == 0, -100)
        for row, captions in enumerate(token_ids):
            start = 0
            for caption in captions:
                labels[row, start] = -100  # the start token is given, never predicted
                start += len(caption)
        inputs = {**images, "input_ids": padded, "attention_mask": mask, "labels": labels}
        if any(len(captions) > 1 for captions in token_ids):
            inputs |= _places(token_ids)
        return inputs

    takes_image_features = True

    def image_features(self, model: Any, pixel_values: torch.Tensor) -> torch.Tensor:
        """`[images, positions, width]` of the vision tower."""
        from leyenda.models.git_network import GitNetwork

        if isinstance(model, GitNetwork):
            return model.encode_images(pixel_values)
        features: torch.Tensor = model.git.image_encoder(pixel_values).last_hidden_state
        return features

    def make_fast(self, model: Any) -> None:
        """Compute with `leyenda.models.git_training`; results and weights stay."""
        from leyenda.models.git_training import make_fast

        make_fast(model)

    def lower_precision(self, model: Any, dtype: torch.dtype) -> None:
        """Only the matrix products, where leyenda's own code does all the work."""
        from leyenda.models.git_network import GitNetwork, lower_precision

        if isinstance(model, GitNetwork) and search_suits(model.generation_config):
            lower_precision(model, dtype)
        else:
            model.to(dtype)

    def pack(self, model: Any) -> bool:
        """Where leyenda's own code does all the work."""
        from leyenda.models.git_network import GitNetwork
        from leyenda.models.packed import pack_git

        if not isinstance(model, GitNetwork) or not search_suits(model.generation_config):
            return False
        pack_git(model)
        return True

    def searches(self, model: Any) -> bool:
        """A fast model's search is leyenda's own."""
        from leyenda.models.git_network import GitNetwork

        return isinstance(model, GitNetwork)

    def decoder(
        self, model: Any, images: Images, longest: int, prompts: Sequence[Sequence[int]] = ()
    ) -> Decoder:
        """The image prefix of a fast model, ready to be continued."""
        from leyenda.models.git_decoder import GitDecoder
        from leyenda.models.git_network import images_at_once

        features = images.get("image_features")
        if features is None:
            pixels = images["pixel_values"]
            features = torch.cat(
                [model.encode_images(part) for part in torch.split(pixels, images_at_once(pixels))]
            )
        return GitDecoder(model, features, int(model.generation_config.bos_token_id), longest, prompts)

    takes_prompts = True

    def prompt_inputs(self, model: Any, prompts: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """`[CLS] words`."""
        start = int(model.generation_config.bos_token_id)
        return {"input_ids": torch.tensor([[start, *prompt] for prompt in prompts], device=model.device)}

    def next_logits(self, model: Any, pixel_values: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """One forward pass over pictures and words."""

        def logits(ids: torch.Tensor) -> torch.Tensor:
            output = model(input_ids=ids, pixel_values=one_row_each(pixel_values, ids))
            return cast(torch.Tensor, output.logits[:, -1])

        return logits

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


def _places(token_ids: CaptionsOfImages) -> dict[str, torch.Tensor]:
    """Where each token stands in its caption, and which caption of its row that is; padding is nobody's (-1)."""
    positions = [[place for caption in captions for place in range(len(caption))] for captions in token_ids]
    numbers = [[number for number, caption in enumerate(captions) for _ in caption] for captions in token_ids]
    return {"position_ids": pad(positions)[0], "caption_numbers": pad(numbers, -1)[0]}
