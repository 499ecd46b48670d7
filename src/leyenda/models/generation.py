"""Captions from pixels: settings, generation, and how sure the model is of each caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How captions are searched for.

    Args:
        beams: beams of the search; 1 is greedy.
        max_length: most tokens of a caption, the end token included.
        min_length: fewest tokens before the end token may come.
        sample: draw words at random by their probability instead of taking the best.
        temperature: of the sampling; below 1 is more careful, above 1 more varied.
        top_p: sample only from the most probable words that together reach this probability.
        seed: of the sampling.
    """

    beams: int = 1
    max_length: int = 50
    min_length: int = 0
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0

    def as_generate_arguments(self, model: Any) -> dict[str, Any]:
        """The keyword arguments of `transformers`' `generate` that mean the same."""
        arguments: dict[str, Any] = {
            "num_beams": self.beams,
            "max_new_tokens": self.max_length,
            "max_length": None,
            "do_sample": self.sample,
        }
        if self.min_length:
            arguments["min_new_tokens"] = self.min_length
        if self.sample:
            arguments |= {"temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
        return arguments


@dataclass(frozen=True, slots=True)
class Generated:
    """Token ids of one caption, without prompt and padding, and the probability of each."""

    token_ids: tuple[int, ...]
    confidence: float


@torch.inference_mode()
def generate(
    model: Any, pixel_values: torch.Tensor, settings: GenerationSettings, prompt_length: int
) -> list[Generated]:
    """One caption per picture, by the model's own `generate`.

    Args:
        model: a `transformers` model with `generate`.
        pixel_values: float tensor `[batch, 3, height, width]` on the model's device.
        settings: how to search.
        prompt_length: ids that `generate` puts in front of each caption.

    Returns:
        One `Generated` per row. Its confidence is the geometric mean of the probabilities that the model
        itself (before any sampling temperature or length rule) gave the tokens, end token included.
    """
    with torch.random.fork_rng(enabled=settings.sample):
        if settings.sample:
            torch.manual_seed(settings.seed)
        output = model.generate(
            pixel_values=pixel_values,
            return_dict_in_generate=True,
            output_logits=True,
            **settings.as_generate_arguments(model),
        )
    log_probabilities = model.compute_transition_scores(
        output.sequences, output.logits, getattr(output, "beam_indices", None), normalize_logits=True
    )
    new_ids = output.sequences[:, prompt_length:]
    lengths = _caption_lengths(new_ids, model.generation_config)
    return [
        Generated(
            token_ids=tuple(ids[:length].tolist()),
            confidence=float(scores[:length].double().mean().exp()) if length else 0.0,
        )
        for ids, scores, length in zip(new_ids, log_probabilities, lengths, strict=True)
    ]


def _caption_lengths(new_ids: torch.Tensor, generation_config: Any) -> list[int]:
    """How many ids of each row `[batch, longest]` are the caption: up to its first end token, inclusive."""
    ends = generation_config.eos_token_id
    if ends is None:
        return [new_ids.shape[1]] * new_ids.shape[0]
    is_end = torch.isin(new_ids, torch.as_tensor(ends, device=new_ids.device))
    first_end = torch.where(is_end.any(dim=1), is_end.int().argmax(dim=1) + 1, new_ids.shape[1])
    return [int(length) for length in first_end]
