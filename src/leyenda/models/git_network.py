"""GIT, computed with less work: the same weights, the same results as `transformers`' GIT.

The image's positions never attend to the caption. So an image is encoded once, and its keys and values in every layer
of the decoder (the image prefix) serve all of its captions, in training as well as in a search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

from leyenda.models.attention import attend, split_heads, split_three
from leyenda.models.trained_norm import sum_and_norm
from leyenda.models.trained_product import products

T = TypeVar("T")

IMAGES_AT_ONCE = 8
"""Images that a search encodes at a time on a CPU: with more, states as wide as four times the model take memory that
is fetched from the system, filled with zeros and given back at every layer."""


TILE = 16
"""Rows of states that a CPU's instructions for bf16 products take together, where it has tiles (AMX)."""


class GitNetwork:
    """What is computed, for any tree of modules with the names that `transformers`' GIT gives them.

    It needs `torch` alone: importing the model code of `transformers` takes longer than captioning a picture.
    """

    git: Any
    output: Any
    generation_config: Any

    def encode_images(self, pixel_values: torch.Tensor | None) -> torch.Tensor:
        """What the image encoder sees: `[images, 3, height, width]` to `[images, positions, width]`."""
        tower = self.git.image_encoder.vision_model
        states = _as_autocast_wants(tower.pre_layrnorm(tower.embeddings(pixel_values)))
        positions, layers = states.shape[1], tower.encoder.layers
        states, added = _in_whole_tiles(states, layers), None
        for layer in layers:
            packed = getattr(layer, "packed", None)
            if packed is not None:
                states = packed(states, positions)
            else:
                states, added = _run(layer, _vision_layer, states, added)
        if added is not None:
            states = states + added
        features: torch.Tensor = tower.post_layernorm(states[:, :positions])
        return features

    def caption_states(
        self,
        image_features: torch.Tensor,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None,
        seen: torch.Tensor,
    ) -> torch.Tensor:
        """The decoder's last states of the captions' tokens.

        Args:
            image_features: float `[images, positions, width]` of `encode_images`.
            input_ids: int64 `[images, length]`.
            position_ids: int64 `[images, length]`, or None.
            seen: bool `[images, length, length]` of `text_mask`.

        Returns:
            Float `[images, length, width]`.
        """
        image = self._projected(image_features)
        text = _as_autocast_wants(self.git.embeddings(input_ids, position_ids=position_ids))
        positions = image.shape[1]
        states = torch.cat([image.to(text.dtype), text], dim=1)
        everything = torch.ones((*seen.shape[:2], positions), dtype=torch.bool, device=seen.device)
        mask = torch.cat([everything, seen], dim=2)[:, None]
        *layers, last = self.git.encoder.layer
        for layer in layers:
            states = _run(layer, _joint_layer, states, mask)
        # Nothing reads the image's states after the last layer: it only needs their keys and values.
        return _run(last, _last_layer, states, mask, positions)

    def _projected(self, image_features: torch.Tensor) -> torch.Tensor:
        """From the image encoder's width to the decoder's."""
        product, norm = self.git.visual_projection.visual_projection
        states: torch.Tensor = norm(product(ready_for(product, image_features)).to(norm.weight.dtype))
        return states

    def image_prefix(self, image_features: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Each layer's keys and values of the image's positions, which every step of a search reads.

        Args:
            image_features: float `[images, positions, width]` of `encode_images`.

        Yields:
            For each layer, keys and values, `[images, heads, positions, head width]`.
        """
        layers, positions = self.git.encoder.layer, image_features.shape[1]
        states = _in_whole_tiles(self._projected(image_features), layers)
        for layer in layers:
            queries, *told = queries_keys_values(layer, states, states)
            keys, values = (part[:, :, :positions] for part in told)
            yield keys, values
            if layer is not layers[-1]:
                states = after_attention(layer, attend(queries, keys, values), states)


def text_mask(
    input_ids: torch.Tensor, attention_mask: torch.Tensor | None, caption_numbers: torch.Tensor | None
) -> torch.Tensor:
    """Which tokens of a row each token attends to: real ones up to itself, of its own caption.

    Args:
        input_ids: int64 `[images, length]`.
        attention_mask: `[images, length]`, 1 where a token is real; None when all are.
        caption_numbers: int64 `[images, length]`; None when each row is one caption.

    Returns:
        Bool `[images, length, length]`.

    >>> text_mask(torch.zeros(1, 3), None, torch.tensor([[0, 0, 1]])).int().tolist()
    [[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]
    """
    images, length = input_ids.shape
    seen = torch.ones((length, length), dtype=torch.bool, device=input_ids.device).tril()
    seen = seen.expand(images, length, length)
    if caption_numbers is not None:
        seen = seen & (caption_numbers[:, :, None] == caption_numbers[:, None, :])
    if attention_mask is not None:
        seen = seen & attention_mask.bool()[:, None, :]
    return seen


def _in_whole_tiles(states: torch.Tensor, layers: Any) -> torch.Tensor:
    """A single image's `[1, positions, width]` filled up with zeros, where layers are packed, to `[1, rows, width]`.

    The rows that fill the last tile by a part cost such a product a tenth of its time.
    """
    if len(states) > 1 or not hasattr(layers[0], "packed"):
        return states
    return pad(states, (0, 0, 0, -states.shape[1] % TILE))


def _run(module: Any, compute: Callable[..., T], *arguments: Any) -> T:
    """`compute(module, ...)`, with gradient checkpointing where the model was told to use it."""
    if module.training and getattr(module, "gradient_checkpointing", False):
        computed: T = checkpoint(compute, module, *arguments, use_reentrant=False)
        return computed
    return compute(module, *arguments)


def _vision_layer(
    layer: Any, states: torch.Tensor, added: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """One layer of the image encoder.

    Args:
        layer: of the encoder.
        states: `[images, positions, width]`.
        added: what belongs to them and is not added yet, of the same shape; None for nothing.

    Returns:
        The same two of the next layer.
    """
    own, mlp = layer.self_attn, layer.mlp
    states, normed = sum_and_norm(layer.layer_norm1, states, added)
    normed = ready_for(own.q_proj, normed)
    queries, keys, values = (
        split_heads(part, own.num_heads) for part in products(normed, own.q_proj, own.k_proj, own.v_proj)
    )
    dropout = own.dropout if layer.training else 0.0
    attended = own.out_proj(attend(queries, keys, values, dropout=dropout))
    states, normed = sum_and_norm(layer.layer_norm2, states, attended)
    return states, mlp(ready_for(mlp.fc1, normed))


def _joint_layer(layer: Any, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One decoder layer over image and captions, `[images, positions + length, width]` to the same.

    Args:
        layer: of the decoder.
        states: the image's positions in front.
        mask: bool `[images, 1, length, positions + length]`: what the captions' tokens attend to; the image's
            positions attend to each other, and to nothing else.
    """
    queries, keys, values = queries_keys_values(layer, states, states)
    attended = attend(queries, keys, values, mask=mask, dropout=_attention_dropout(layer))
    return after_attention(layer, attended, states)


def _last_layer(layer: Any, states: torch.Tensor, mask: torch.Tensor, positions: int) -> torch.Tensor:
    """As `_joint_layer`, for the captions' tokens alone: `[images, length, width]`."""
    text = states[:, positions:]
    queries, keys, values = queries_keys_values(layer, text, states)
    attended = attend(queries, keys, values, mask=mask, dropout=_attention_dropout(layer))
    return after_attention(layer, attended, text)


def queries_keys_values(layer: Any, asking: torch.Tensor, told: torch.Tensor) -> Sequence[torch.Tensor]:
    """Of a decoder layer, each `[images, heads, length, head width]`; `asking` is the end of `told`."""
    own = layer.attention.self
    together = getattr(own, "together", None)  # the three as one product, of a packed model
    first = told.shape[1] - asking.shape[1]
    if together is not None:
        queries, keys, values = split_three(together(ready_for(together, told)), own.num_attention_heads)
        return queries[:, :, first:], keys, values
    told = ready_for(own.key, told)
    # Layers in 8 bits prepare the same states once, if they are the same tensor.
    if first:
        parts: Sequence[torch.Tensor] = (own.query(told[:, first:]), *products(told, own.key, own.value))
    else:
        parts = products(told, own.query, own.key, own.value)
    return [split_heads(part, own.num_attention_heads) for part in parts]


def _attention_dropout(layer: Any) -> float:
    return float(layer.attention.self.dropout.p) if layer.training else 0.0


def after_attention(layer: Any, attended: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """The rest of a decoder layer behind its attention."""
    narrow, wide, final = layer.attention.output, layer.intermediate, layer.output
    states = _ended(narrow, attended, states)
    inner = wide.intermediate_act_fn(wide.dense(ready_for(wide.dense, states)))
    return _ended(final, inner, states)


def _ended(block: Any, inner: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """A block's last product, of which dropout leaves some in training, added to its states and normed."""
    added = block.dense(ready_for(block.dense, inner))
    return sum_and_norm(block.LayerNorm, states, added, float(block.dropout.p) if block.training else 0.0)[1]


def ready_for(product: Any, states: torch.Tensor) -> torch.Tensor:
    """States in the number format of a matrix product: cast once for all the products that read them.

    In a search the states between products are in float32, also where products are in bf16: it is small differences
    of logits that decide on words.
    """
    if torch.is_autocast_enabled(states.device.type):
        return _as_autocast_wants(states)
    weight = getattr(product, "weight", None)
    return states.to(product.takes if weight is None else weight.dtype)


def _as_autocast_wants(states: torch.Tensor) -> torch.Tensor:
    """In autocast's number format: in training, sums are kept in it too, which halves the traffic to memory."""
    kind = states.device.type
    return states.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else states


def lower_precision(network: Any, dtype: torch.dtype) -> None:
    """Let the matrix products be in a shorter number format; states, embeddings, norms and logits stay in float32.

    Args:
        network: a GIT of float32 weights that is not to be trained; changed in place.
        dtype: `torch.bfloat16` or `torch.float16`.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and module is not network.output:
            module.to(dtype)


def images_at_once(images: torch.Tensor) -> int:
    """How many of the images of a batch, `[images, ...]`, a search takes through the network together."""
    return IMAGES_AT_ONCE if images.device.type == "cpu" else max(1, len(images))
