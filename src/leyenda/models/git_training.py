"""GIT for training, and for whatever else `transformers` does with it: the loss is computed in the fast way."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import nn
from transformers.modeling_outputs import CausalLMOutputWithPast

from leyenda.models.activations import faster_activation
from leyenda.models.caption_loss import NO_WORD, caption_loss
from leyenda.models.dropout import Dropout
from leyenda.models.git_network import GitNetwork, text_mask
from leyenda.models.trained_norm import TrainedNorm


class GitForCausalLM(GitNetwork, transformers.GitForCausalLM):  # type: ignore[misc]
    """A `transformers` GIT that trains and searches faster; made from a loaded one by `make_fast`.

    It has the name of its base class because `save_pretrained` writes the name into `config.json`.
    """

    label_smoothing = 0.0
    """In training: see `caption_loss`."""

    weighs_words = True
    """Whether `forward` takes `weights`, which `transformers`' own does not."""

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        image_features: torch.Tensor | None = None,
        caption_numbers: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        weights: torch.Tensor | None = None,
        **others: Any,
    ) -> Any:
        """The loss of captions, in the fast way; whatever else is asked for, in the way of `transformers`.

        Args:
            input_ids: int64 `[images, length]`: one caption a row, or several, one behind the other.
            attention_mask: `[images, length]`: 1 where a token is real.
            position_ids: int64 `[images, length]`: of each token in its caption; None counts along the row.
            pixel_values: float `[images, 3, height, width]`.
            labels: int64 `[images, length]`: the ids again, -100 where no word is to be predicted.
            image_features: float `[images, positions, width]` of `encode_images`, instead of pixels.
            caption_numbers: int64 `[images, length]`: which of the row's captions a token belongs to; None when
                each row is one caption.
            num_items_in_batch: what the sum over words is divided by; None takes the number of words here.
            weights: float `[images, length]`: how much each of the labels counts, without any smoothing; None counts
                all alike.
            others: more arguments of `transformers.GitForCausalLM.forward`.

        Returns:
            `CausalLMOutputWithPast`; with labels, it holds the loss and no logits.
        """
        pixels_fit = pixel_values is not None and pixel_values.ndim == 4
        only_the_usual = not any(value is not None and value is not False for value in others.values())
        if labels is None or input_ids is None or not (pixels_fit or image_features is not None):
            only_the_usual = False
        if not only_the_usual:
            if any(given is not None for given in (image_features, caption_numbers, weights)):
                raise ValueError(
                    "image_features, caption_numbers and weights need input_ids and labels, and nothing else."
                )
            if num_items_in_batch is not None:
                others["num_items_in_batch"] = num_items_in_batch
            return super().forward(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                pixel_values=pixel_values,
                labels=labels,
                **others,
            )
        assert input_ids is not None
        assert labels is not None
        seen = text_mask(input_ids, attention_mask, caption_numbers)
        states = self.states_to_learn_from(pixel_values, image_features, input_ids, position_ids, seen)
        states, words = states[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        counts = None if weights is None else weights[:, 1:].flatten()
        if states.device.type == "cpu":
            # A GPU computes the few rows without a word sooner than it says which they are.
            predicted = words != NO_WORD
            states, words = states[predicted], words[predicted]
            counts = None if counts is None else counts[predicted]
        smoothing = self.label_smoothing if self.training and counts is None else 0.0
        loss = caption_loss(states, self.output, words, num_items_in_batch, smoothing, counts)
        return CausalLMOutputWithPast(loss=loss)

    def states_to_learn_from(
        self,
        pixel_values: torch.Tensor | None,
        image_features: torch.Tensor | None,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None,
        seen: torch.Tensor,
    ) -> torch.Tensor:
        """As `caption_states`, from pixels or features: all of a training step but its loss, so worth compiling."""
        if image_features is None:
            image_features = self.encode_images(pixel_values)
        return self.caption_states(image_features, input_ids, position_ids, seen)


def make_fast(model: Any) -> None:
    """Let a loaded `transformers.GitForCausalLM` compute in the fast way; its weights and their names stay.

    Args:
        model: changed in place.
    """
    model.__class__ = GitForCausalLM
    model.git.embeddings.dropout.__class__ = Dropout
    for layer in model.git.image_encoder.vision_model.encoder.layers:
        layer.mlp.activation_fn = faster_activation(layer.mlp.activation_fn)
    for layer in model.git.encoder.layer:
        layer.intermediate.intermediate_act_fn = faster_activation(layer.intermediate.intermediate_act_fn)
    for module in model.modules():
        if type(module) is nn.LayerNorm:
            module.__class__ = TrainedNorm
