"""How many floating-point operations GIT needs: a multiplication and an addition count as two, the rest as nothing.

Counted is the work that the result depends on, not what any code happens to do: no padding, vocabulary logits only
where a word is predicted, no image position recomputed for a second caption, in the last decoder layer only keys
and values of the image positions. `transformers_forward` counts what `transformers`' own code does instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GitShape:
    """The sizes in a GIT configuration that decide the work.

    Args:
        patches: image patches; the image has one position more.
        patch_values: numbers in a patch: 3 x side x side.
        vision_width, vision_inner, vision_layers: of the image encoder.
        width, inner, layers: of the decoder.
        vocabulary: word pieces.
    """

    patches: int
    patch_values: int
    vision_width: int
    vision_inner: int
    vision_layers: int
    width: int
    inner: int
    layers: int
    vocabulary: int

    @classmethod
    def of(cls, config: Any) -> GitShape:
        """From a `transformers.GitConfig`."""
        vision = config.vision_config
        return cls(
            patches=(vision.image_size // vision.patch_size) ** 2,
            patch_values=3 * vision.patch_size**2,
            vision_width=vision.hidden_size,
            vision_inner=vision.intermediate_size,
            vision_layers=vision.num_hidden_layers,
            width=config.hidden_size,
            inner=config.intermediate_size,
            layers=config.num_hidden_layers,
            vocabulary=config.vocab_size,
        )

    @property
    def positions(self) -> int:
        """Image positions in front of a caption."""
        return self.patches + 1

    def patch_embedding(self) -> float:
        """Pixels of one image to the first layer's input."""
        return 2.0 * self.patches * self.patch_values * self.vision_width

    def image_encoder(self) -> float:
        """Pixels of one image to its features."""
        layer = _layer(self.positions, self.vision_width, self.vision_inner)
        layer += _attention(self.positions * self.positions, self.vision_width)
        return self.patch_embedding() + self.vision_layers * layer

    def image_projection(self) -> float:
        """One image's features to the decoder's width."""
        return 2.0 * self.positions * self.vision_width * self.width

    def image_prefix(self) -> float:
        """One image's positions through the decoder; the last layer needs their keys and values only."""
        layer = _layer(self.positions, self.width, self.inner)
        layer += _attention(self.positions * self.positions, self.width)
        keys_and_values = 2 * 2.0 * self.positions * self.width * self.width
        return (self.layers - 1) * layer + keys_and_values

    def text(self, tokens: int, *, before: int = 0) -> float:
        """New tokens of one caption through the decoder: each sees the image, and the tokens up to itself.

        Args:
            tokens: how many are new.
            before: how many stand before them and are done already.
        """
        seen = tokens * (self.positions + before) + tokens * (tokens + 1) // 2
        return self.layers * (_layer(tokens, self.width, self.inner) + _attention(seen, self.width))

    def logits(self, tokens: int) -> float:
        """Predictions over the vocabulary."""
        return 2.0 * tokens * self.width * self.vocabulary

    def training(
        self, images: int, captions: int, tokens: float, *, frozen_and_cached: bool = False
    ) -> float:
        """Forward and backward of a step.

        Args:
            images: different images.
            captions: captions of all of them.
            tokens: tokens fed per caption, on average, the start token included: as many as are predicted.
            frozen_and_cached: the image encoder is frozen and its features are read, not computed.
        """
        words = captions * (self.text(round(tokens)) + self.logits(round(tokens)))
        # Backward costs forward twice: once for the weights, once for the input. The first layer has no input to mend.
        decoder = 3 * (words + images * self.image_prefix())
        if frozen_and_cached:
            return decoder + images * 2 * self.image_projection()
        return decoder + images * (
            3 * self.image_projection() + 3 * self.image_encoder() - self.patch_embedding()
        )

    def captioning(self, new_tokens: int, beams: int = 1) -> float:
        """One image to a caption of so many new tokens (the start token is fed, the last one is not)."""
        steps = beams * (self.text(new_tokens - 1, before=1) + self.logits(new_tokens - 1))
        start = self.text(1) + self.logits(1)
        return self.image_encoder() + self.image_projection() + self.image_prefix() + start + steps

    def transformers_forward(self, tokens: int) -> float:
        """One image and one caption, padded to `tokens`, as `transformers`' GIT does it: everything everywhere."""
        positions = self.positions + tokens
        layer = _layer(positions, self.width, self.inner) + _attention(positions * positions, self.width)
        return self.image_encoder() + self.image_projection() + self.layers * layer + self.logits(positions)


def _layer(positions: float, width: int, inner: int) -> float:
    """Four projections and the two matrices in between two layers' attentions."""
    return 2.0 * positions * (4 * width * width + 2 * width * inner)


def _attention(pairs: float, width: int) -> float:
    """Queries with keys, and probabilities with values."""
    return 2 * 2.0 * pairs * width
