"""Captions from pixels: settings, generation, and how sure the model is of each caption."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from leyenda.errors import LeyendaError
from leyenda.models.sampling import random_choice
from leyenda.models.search import (
    NO_DEMANDS,
    Bans,
    Decoder,
    Demands,
    Limits,
    beam_search,
    drawn_from,
    greedy_search,
)


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
        seed: of the sampling. The same picture with the same seed gets the same caption, in any batch.

    Raises:
        LeyendaError: a value that makes no sense.
    """

    beams: int = 1
    max_length: int = 50
    min_length: int = 0
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("beams", self.beams, 1)
        _check_whole("max_length", self.max_length, 1)
        _check_whole("min_length", self.min_length, 0)
        _check_whole("seed", self.seed, 0)
        if self.min_length > self.max_length:
            raise LeyendaError(
                f"min_length ({self.min_length}) is more than max_length ({self.max_length}).",
                "Lower the one or raise the other.",
            )
        if not 0.0 < self.temperature < float("inf"):
            raise LeyendaError(f"temperature is {self.temperature!r}.", "It must be greater than 0.")
        if not 0.0 < self.top_p <= 1.0:
            raise LeyendaError(f"top_p is {self.top_p!r}.", "It must be greater than 0 and at most 1.")
        if self.sample and self.beams > 1:
            raise LeyendaError(
                f"Sampling does not go together with {self.beams} beams.",
                "Sampling draws words at random, beams look for the most probable: leave out one of the two.",
            )

    def as_generate_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `transformers`' `generate` that mean the same, sampling left out."""
        arguments: dict[str, Any] = {
            "num_beams": self.beams,
            "max_new_tokens": self.max_length,
            "max_length": None,
            "do_sample": False,
        }
        if self.min_length:
            arguments["min_new_tokens"] = self.min_length
        return arguments


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise LeyendaError(f"{name} is {value!r}.", f"It must be a whole number from {least} up.")


@dataclass(frozen=True, slots=True)
class Generated:
    """Token ids of one caption, without prompt and padding, and the probability of each."""

    token_ids: tuple[int, ...]
    confidence: float


HONOURED = frozenset(
    {"bos_token_id", "eos_token_id", "pad_token_id", "length_penalty", "early_stopping"}
    | {"max_length", "max_new_tokens", "num_beams", "do_sample", "temperature", "top_k", "top_p", "use_cache"}
    | {
        "output_attentions",
        "output_hidden_states",
        "output_scores",
        "output_logits",
        "return_dict_in_generate",
    }
    | {"transformers_version", "_from_model_config"}
)
"""Entries of a checkpoint's generation settings that leyenda's own search follows, or that `GenerationSettings`
decides. With any other, `transformers`' `generate` is what follows them."""


def search_suits(generation_config: Any) -> bool:
    """Whether leyenda's own search gives what `generate` would give with a checkpoint's generation settings."""
    return set(generation_config.to_diff_dict()) <= HONOURED


@torch.inference_mode()
def search(
    decoder: Decoder,
    images: torch.Tensor,
    settings: GenerationSettings,
    generation_config: Any,
    end_token_ids: Sequence[int],
    demands: Demands = NO_DEMANDS,
    draws: int = 1,
) -> list[Generated]:
    """One caption per picture, or several draws, by leyenda's own search.

    Args:
        decoder: holds the pictures.
        images: float tensor `[pictures, ...]`: what sampling takes its luck from.
        settings: how to search.
        generation_config: of the checkpoint.
        end_token_ids: ids that end a caption.
        demands: what is asked of the words.
        draws: captions of each picture; more than one only where words are drawn at random.

    Returns:
        So many `Generated` per picture, one behind the other; their confidence is as `generate`'s.
    """
    limits = Limits(settings.max_length, settings.min_length, end_token_ids)
    if settings.beams == 1:
        choice = None
        if settings.sample:
            choice = random_choice(images, settings.temperature, settings.top_p, settings.seed, draws)
        captions = greedy_search(decoder, limits, choice, demands, draws)
    else:
        penalty, stopping = generation_config.length_penalty, generation_config.early_stopping
        captions = beam_search(
            decoder,
            settings.beams,
            limits,
            length_penalty=1.0 if penalty is None else penalty,
            early_stopping=stopping or False,
            demands=demands,
        )
    return [
        Generated(caption.token_ids, math.exp(caption.log_probability / len(caption.token_ids)))
        for caption in captions
    ]


@torch.inference_mode()
def generate(
    model: Any,
    pixel_values: torch.Tensor,
    settings: GenerationSettings,
    prompt_length: int,
    end_token_ids: Sequence[int],
    demands: Demands = NO_DEMANDS,
    *,
    inputs: Mapping[str, torch.Tensor] | None = None,
    next_logits: Callable[[torch.Tensor], torch.Tensor] | None = None,
    draws: int = 1,
) -> list[Generated]:
    """One caption per picture, or several draws, by the model's own `generate`.

    Args:
        model: a `transformers` model with `generate`.
        pixel_values: float tensor `[batch, 3, height, width]` on the model's device.
        settings: how to search.
        prompt_length: ids that `generate` puts in front of each caption.
        end_token_ids: ids that end a caption.
        demands: what is asked of the words.
        inputs: what else `generate` is given: the prompts.
        next_logits: ids `[rows, length]`, all that `generate` has in a row, to the logits `[rows, vocabulary]` behind
            them; needed where words are banned.
        draws: captions of each picture; more than one only where words are drawn at random, and without prompts.

    Returns:
        So many `Generated` per picture, one behind the other. The confidence is the geometric mean of the
        probabilities that the model itself (before any sampling temperature or length rule) gave the tokens, end
        token included.
    """
    rules: list[Any] = []
    if demands.bans is not None:
        assert next_logits is not None
        rules.append(_banning(demands.bans, settings, prompt_length, len(end_token_ids), next_logits))
    if settings.sample:
        choice = random_choice(pixel_values, settings.temperature, settings.top_p, settings.seed, draws)
        rules.append(lambda _, logits: choice(logits))
    output = model.generate(
        pixel_values=pixel_values.repeat_interleave(draws, dim=0),
        logits_processor=rules,
        return_dict_in_generate=True,
        output_logits=True,
        num_return_sequences=settings.beams if demands.accept is not None else 1,
        **(inputs or {}),
        **settings.as_generate_arguments(),
    )
    new_ids = output.sequences[:, prompt_length:]
    log_probabilities = _log_probabilities(new_ids, output.logits, getattr(output, "beam_indices", None))
    lengths = _caption_lengths(new_ids, end_token_ids)
    captions = [
        Generated(
            token_ids=tuple(ids[:length].tolist()),
            confidence=float(scores[:length].double().mean().exp()) if length else 0.0,
        )
        for ids, scores, length in zip(new_ids, log_probabilities, lengths, strict=True)
    ]
    if demands.accept is None:
        return captions
    firsts = range(0, len(captions), settings.beams)
    return [
        _first_accepted(picture, captions[first : first + settings.beams], demands.accept)
        for picture, first in enumerate(firsts)
    ]


def _banning(
    bans: Bans,
    settings: GenerationSettings,
    prompt_length: int,
    ends: int,
    next_logits: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Bans as one of the rules that `generate` takes."""
    width = drawn_from(settings.beams, ends, settings.sample)

    def rule(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        def look(token_ids: torch.Tensor) -> torch.Tensor:
            return next_logits(torch.cat([ids, token_ids[:, None]], dim=1))

        last = ids.shape[1] - prompt_length == settings.max_length - 1
        return bans(ids.tolist(), scores, look, width=width, last=last)

    return rule


def _first_accepted(
    picture: int, beams: Sequence[Generated], accept: Callable[[int, Sequence[int]], bool]
) -> Generated:
    """The best of a picture's beams that may be its caption, or the best."""
    return next((beam for beam in beams if accept(picture, beam.token_ids)), beams[0])


def _log_probabilities(
    new_ids: torch.Tensor, logits: Sequence[torch.Tensor], beam_indices: torch.Tensor | None
) -> torch.Tensor:
    """Of each id `[batch, longest]`; what stands behind a caption's end means nothing.

    As `compute_transition_scores` with normalised logits, but step by step and only for the beams that won:
    that function needs four more copies of all logits (batch x beams x vocabulary x length).

    Args:
        new_ids: int64 tensor `[batch, longest]`.
        logits: for each step, float tensor `[batch x beams, vocabulary]`.
        beam_indices: int64 tensor `[batch, longest]`: the row of `logits` that each id was chosen from, -1 behind
            the end; None when there are no beams.
    """
    steps = []
    for step, (ids, scores) in enumerate(zip(new_ids.T, logits, strict=False)):
        rows = scores if beam_indices is None else scores[beam_indices[:, step].clamp(min=0)]
        steps.append(rows.gather(1, ids[:, None])[:, 0] - rows.logsumexp(dim=1))
    return torch.stack(steps, dim=1)


def _caption_lengths(new_ids: torch.Tensor, end_token_ids: Sequence[int]) -> list[int]:
    """How many ids of each row `[batch, longest]` are the caption: up to its first end token, inclusive."""
    is_end = torch.isin(new_ids, torch.tensor(end_token_ids, dtype=new_ids.dtype, device=new_ids.device))
    first_end = torch.where(is_end.any(dim=1), is_end.int().argmax(dim=1) + 1, new_ids.shape[1])
    return [int(length) for length in first_end]
