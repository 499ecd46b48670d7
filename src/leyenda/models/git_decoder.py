"""Captions of a batch being written by a GIT, word by word: every row's keys and values are where they were put.

A picture's beams share one row of the buffer. What a beam has written is marked, not moved: which of the tokens of each
step are its own is a mask, so that a search that picks other beams copies nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from leyenda.models.attention import attend
from leyenda.models.git_network import (
    GitNetwork,
    after_attention,
    images_at_once,
    queries_keys_values,
    ready_for,
    text_mask,
)


class GitDecoder:
    """A `leyenda.models.search.Decoder`.

    Args:
        model: the network.
        image_features: float `[images, positions, width]` of `encode_images`.
        start_id: the token that every caption begins with.
        longest: most tokens of a caption, neither the start token nor the prompt counted.
        prompts: for each image the ids that follow the start token; empty when none has any.
    """

    def __init__(
        self,
        model: GitNetwork,
        image_features: torch.Tensor,
        start_id: int,
        longest: int,
        prompts: Sequence[Sequence[int]] = (),
    ) -> None:
        self._model = model
        self._start_id = start_id
        self._prompts = prompts
        self._positions = image_features.shape[1]
        self._longest = longest + max(map(len, prompts), default=0)
        self._beams = 1
        self._written = 0  # tokens of each caption, start token and prompt included
        self._filled = self._positions  # slots of the buffer
        self._padding: torch.Tensor | None = (
            None  # int64 [pictures]: slots behind the image that hold nothing
        )
        self._ancestors: torch.Tensor | None = (
            None  # int64 [pictures, beams, steps]: whose token is whose past
        )
        self._cache = self._of_images(image_features)

    def _of_images(self, image_features: torch.Tensor) -> torch.Tensor:
        """`[layers, keys and values, pictures, heads, slots, head width]`, filled as far as the image goes."""
        cache: torch.Tensor | None = None
        done = 0
        for part in torch.split(image_features, images_at_once(image_features)):
            rows = slice(done, done + len(part))
            for number, layer in enumerate(self._model.image_prefix(part)):
                if cache is None:
                    layers, keys = len(self._model.git.encoder.layer), layer[0]
                    heads, width = keys.shape[1], keys.shape[3]
                    slots = self._positions + self._longest
                    cache = keys.new_empty((layers, 2, len(image_features), heads, slots, width))
                for place, states in enumerate(layer):
                    cache[number, place, rows, :, : self._positions] = states
            done += len(part)
        assert cache is not None
        return cache

    def start(self) -> torch.Tensor:
        """See `Decoder`."""
        if self._prompts:
            return self._read_prompts()
        pictures = self._cache.shape[2]
        return self.step(torch.full((pictures,), self._start_id, dtype=torch.long, device=self._cache.device))

    def expand(self, beams: int) -> None:
        """See `Decoder`."""
        layers, kinds, pictures, heads, _, width = self._cache.shape
        slots = self._filled + beams * self._longest
        cache = self._cache.new_empty((layers, kinds, pictures, heads, slots, width))
        cache[..., : self._filled, :] = self._cache[..., : self._filled, :]
        self._cache, self._beams = cache, beams
        self._ancestors = torch.empty((pictures, beams, 0), dtype=torch.long, device=cache.device)

    def reorder(self, beams: torch.Tensor) -> None:
        """See `Decoder`."""
        if self._ancestors is not None:
            self._ancestors = self._ancestors.take_along_dim(beams[:, :, None], dim=1)

    def keep(self, pictures: torch.Tensor) -> None:
        """See `Decoder`."""
        self._cache = self._cache[:, :, pictures]
        if self._padding is not None:
            self._padding = self._padding[pictures]
        if self._ancestors is not None:
            self._ancestors = self._ancestors[pictures]

    def step(self, token_ids: torch.Tensor) -> torch.Tensor:
        """See `Decoder`."""
        model = self._model
        if self._padding is None:
            states = model.git.embeddings(token_ids[:, None], past_key_values_length=self._written)
        else:
            places = (self._written - self._padding).repeat_interleave(self._beams)
            states = model.git.embeddings(token_ids[:, None], position_ids=places[:, None])
        self._written += 1
        self._filled += self._beams
        if self._ancestors is not None:
            own = torch.arange(self._beams, device=token_ids.device).expand(*self._ancestors.shape[:2])
            self._ancestors = torch.cat([self._ancestors, own[..., None]], dim=2)
        mask = self._mask()
        states = states.view(-1, self._beams, states.shape[-1])
        for number, layer in enumerate(model.git.encoder.layer):
            keys, values = self._cache[number, :, :, :, : self._filled]
            packed = getattr(layer, "packed", None)
            if packed is not None:
                states = packed(states, keys, values, mask)
                continue
            queries, keys[:, :, -self._beams :], values[:, :, -self._beams :] = queries_keys_values(
                layer, states, states
            )
            states = after_attention(layer, attend(queries, keys, values, mask=mask), states)
        return self._logits(states.flatten(0, 1))

    def look(self, token_ids: torch.Tensor) -> torch.Tensor:
        """See `Decoder`."""
        logits = self.step(token_ids)
        self._written -= 1
        self._filled -= self._beams
        if self._ancestors is not None:
            self._ancestors = self._ancestors[..., :-1]
        return logits

    def _mask(self) -> torch.Tensor | None:
        """Bool `[pictures, 1, beams, filled]`: the slots that each beam looks at; None when it is all of them."""
        if self._padding is None and self._ancestors is None:
            return None
        pictures, steps = self._cache.shape[2], 0
        device = self._cache.device
        if self._ancestors is not None:
            steps = self._ancestors.shape[2]
        shared = self._filled - steps * self._beams
        mask = torch.ones((pictures, self._beams, shared), dtype=torch.bool, device=device)
        if self._padding is not None:
            slots = torch.arange(shared, device=device) - self._positions
            mask &= ((slots < 0) | (slots >= self._padding[:, None]))[:, None]
        if self._ancestors is not None:
            beams = torch.arange(self._beams, device=device)
            mask = torch.cat([mask, (self._ancestors[..., None] == beams).flatten(2)], dim=2)
        return mask[:, None]

    def _read_prompts(self) -> torch.Tensor:
        """Logits behind the start token and the prompt of each row, in one pass.

        Prompts end in the same slot; shorter ones have slots in front that nothing attends to.
        """
        model, device = self._model, self._cache.device
        self._written = 1 + max(map(len, self._prompts))
        self._filled += self._written
        padding = [self._written - 1 - len(prompt) for prompt in self._prompts]
        rows = [
            [self._start_id] * (1 + n) + list(prompt)
            for n, prompt in zip(padding, self._prompts, strict=True)
        ]
        if any(padding):
            self._padding = torch.tensor(padding, device=device)
        slots = torch.arange(self._written, device=device)
        empty = torch.tensor(padding, device=device)[:, None]
        states = model.git.embeddings(
            torch.tensor(rows, device=device), position_ids=(slots - empty).clamp(min=0)
        )
        seen = text_mask(slots.expand(len(rows), -1), slots >= empty, None)
        image = seen.new_ones((*seen.shape[:2], self._positions))
        mask = torch.cat([image, seen], dim=2)[:, None]
        for number, layer in enumerate(model.git.encoder.layer):
            queries, *new = queries_keys_values(layer, states, states)
            cache = self._cache[number, :, :, :, : self._filled]
            for kind, part in enumerate(new):
                cache[kind, :, :, self._positions :] = part
            states = after_attention(layer, attend(queries, cache[0], cache[1], mask=mask), states)
        return self._logits(states[:, -1])

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        words = self._model.output
        logits: torch.Tensor = words(ready_for(words, states)).float()
        return logits
