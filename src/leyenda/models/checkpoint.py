"""A captioning model with everything that belongs to it: weights, tokenizer, picture preparation, family."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from leyenda.errors import ImageError, LeyendaError
from leyenda.models.families import Family
from leyenda.models.generation import GenerationSettings, generate
from leyenda.records import Caption

_LONGEST_TO_SHORTEST = 200
"""Sides of a picture. Its shorter side is made as long as the model's input, so a line of 1 x 100,000 pixels
would take gigabytes before it is cropped."""


@dataclass(slots=True)
class CaptioningModel:
    """A checkpoint ready to caption or to be trained.

    Args:
        name: what the user called it: a folder, a hub id, `demo`.
        model: the `transformers` model.
        processor: what `AutoProcessor` gives, saved beside the weights; None where the family has none.
        tokenizer: words to ids and back.
        image_processor: pictures to pixel values.
        family: what is particular to the architecture.
    """

    name: str
    model: Any
    processor: Any
    tokenizer: Any
    image_processor: Any
    family: Family

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(self.model.device)

    @property
    def max_caption_tokens(self) -> int:
        """How many tokens a caption can have, special tokens included."""
        limit = self.family.max_caption_tokens(self.model)
        return min(limit, int(self.tokenizer.model_max_length))

    @property
    def max_new_tokens(self) -> int:
        """How many tokens `generate` can write before positions run out, end token included."""
        return self.max_caption_tokens - self.family.prompt_length(self.model)

    def check_length(self, settings: GenerationSettings) -> None:
        """See that captions as long as asked for are possible.

        Raises:
            LeyendaError: `min_length` is more than the model can write.
        """
        if settings.min_length > self.max_new_tokens:
            raise LeyendaError(
                f"min_length is {settings.min_length}, but {self.name!r} writes at most "
                f"{self.max_new_tokens} tokens.",
                f"Ask for a min_length of at most {self.max_new_tokens}.",
            )

    def pixel_values(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Pictures as the checkpoint's own image processor prepares them.

        Args:
            pictures: upright RGB pictures of any size (`leyenda.images.open_picture`).

        Returns:
            Float32 tensor `[len(pictures), 3, height, width]` on the CPU, resized, cropped and normalised.

        Raises:
            ImageError: a picture so long and thin that it cannot be resized.
        """
        for picture in pictures:
            _check_shape(picture)
        prepared = self.image_processor(images=list(pictures), return_tensors="pt")
        pixel_values = prepared["pixel_values"]
        assert isinstance(pixel_values, torch.Tensor)
        return pixel_values

    def generate(self, pixel_values: torch.Tensor, settings: GenerationSettings) -> list[Caption]:
        """One caption per picture.

        Args:
            pixel_values: float tensor `[batch, 3, height, width]`, on any device.
            settings: how to search; `max_length` is bounded by the model's positions.

        Raises:
            LeyendaError: `min_length` is more than the model can write.
        """
        self.check_length(settings)
        settings = replace(settings, max_length=min(settings.max_length, self.max_new_tokens))
        with quiet():
            outputs = generate(
                self.model,
                pixel_values.to(device=self.device, dtype=self.model.dtype),
                settings,
                self.family.prompt_length(self.model),
                self.family.end_token_ids(self.model),
            )
        return [
            Caption(self.decode(output.token_ids), output.confidence, self.name, output.token_ids)
            for output in outputs
        ]

    def decode(self, token_ids: Sequence[int]) -> str:
        """Ids as text, without special tokens."""
        return str(self.tokenizer.decode(list(token_ids), skip_special_tokens=True)).strip()

    def save(self, folder: Path | str) -> None:
        """Write a plain Hugging Face checkpoint: weights (safetensors), configuration, processor, tokenizer.

        Raises:
            OSError: the folder cannot be written to or the disk is full.
        """
        with quiet():
            self.model.save_pretrained(folder)
            for part in [self.processor] if self.processor else [self.image_processor, self.tokenizer]:
                part.save_pretrained(folder)


def _check_shape(picture: Image.Image) -> None:
    if max(picture.size) > _LONGEST_TO_SHORTEST * min(picture.size):
        raise ImageError(
            "unreadable",
            f"A picture of {picture.width} x {picture.height} pixels is too long and thin to caption.",
            "Cut a piece out of it.",
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep `transformers`' own progress bars and notices away from our users; errors still raise."""
    import transformers

    level = transformers.utils.logging.get_verbosity()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()
