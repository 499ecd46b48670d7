"""Matrix products of bf16 weights that lie as the CPU's kernels read them, bias and activation found on the way.

`torch.nn.Linear` in bf16 first writes the bias into its result and reads it again, rearranges the weights at every
call, and leaves the activation to a second pass over four times the states. oneDNN, which computes the product anyway,
takes weights that were rearranged once and does the rest while a tile of the result is still in the registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from leyenda.kernels.row import RowProduct, can_multiply_rows
from leyenda.models.activations import SLOPE, QuickGelu, is_exact_gelu
from leyenda.models.int8 import why_no_int8
from leyenda.models.packed_layer import PackedDecoderLayer, PackedEncoderLayer
from leyenda.models.patches import cut
from leyenda.models.screened_vocabulary import ScreenedVocabulary

_OPERATIONS = ("_linear_pointwise", "_reorder_linear_weight")


class PackedLinear(nn.Module):
    """A linear layer that gives bf16 and can neither be trained nor saved.

    Args:
        linear: the layer, float32, on the CPU; or several that read the same states, whose results then stand one
            behind the other. A convolution counts as the linear layer of one of its patches.
        activation: what follows it: `none`, `gelu`, or `swish` (x times its sigmoid).
        times: the layer's result is multiplied by this before the activation.
        states_times: what its states are multiplied by already; the weights make up for it.
    """

    def __init__(
        self,
        linear: nn.Linear | nn.Conv2d | Sequence[nn.Linear],
        activation: str = "none",
        times: float = 1.0,
        states_times: float = 1.0,
    ) -> None:
        super().__init__()
        layers = (linear,) if isinstance(linear, nn.Module) else linear
        whole = torch.cat([one.weight.detach().float().flatten(1) for one in layers])
        self.out_features, self.in_features = whole.shape
        # Scaled before they are rounded, so that they are rounded once.
        weight = (whole * (times / states_times)).to(torch.bfloat16)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        biases = [one.bias.detach().float() * times for one in layers if one.bias is not None]
        self.bias = torch.cat(biases).to(torch.bfloat16) if biases else None
        self._activation = activation, "none" if activation == "gelu" else ""
        self._for_a_row: RowProduct | None = None
        self._suits_rows = can_multiply_rows(weight)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Floating point `[..., in_features]` to bf16 `[..., out_features]`, the activation done."""
        activation, algorithm = self._activation
        if self._suits_rows and states.numel() == self.in_features:
            # Another copy of the weights, made when a picture is first captioned by itself.
            self._for_a_row = self._for_a_row or RowProduct(self.weight.to_dense(), self.bias, activation)
            return self._for_a_row(states.bfloat16())
        new: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states.bfloat16(), self.weight, self.bias, activation, [], algorithm
        )
        return new


class PackedPatches(nn.Module):
    """A convolution of patches side by side, as the product that it is.

    Args:
        convolution: float32, on the CPU.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self._size = tuple(convolution.kernel_size)
        self._product = PackedLinear(convolution)
        self.weight = self._product.weight  # who embeds pixels asks for its number format

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """`[pictures, channels, height, width]` to bf16 `[pictures, out_channels, rows, columns]` of patches."""
        new: torch.Tensor = self._product(cut(pixels, self._size))
        return new.permute(0, 3, 1, 2)


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether there is such a product for this device and number format in this build of torch."""
    has_kernels: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if device.type != "cpu" or dtype != torch.bfloat16 or not has_kernels:
        return False
    # Without the CPU's own bf16 instructions oneDNN refuses to rearrange bf16 weights.
    supported: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported and all(hasattr(torch.ops.mkldnn, name) for name in _OPERATIONS)


def pack_git(network: Any) -> None:
    """Give a GIT's matrix products packed bf16 weights, and the one that finds the logits a screened vocabulary.

    Args:
        network: a GIT of float32 weights on the CPU, in evaluation mode, that only captions; changed in place.
    """
    tower = network.git.image_encoder.vision_model
    for layer in tower.encoder.layers:
        mlp, own = layer.mlp, layer.self_attn
        mlp.fc1, mlp.fc2, mlp.activation_fn = _feed_forward(mlp.fc1, mlp.fc2, mlp.activation_fn)
        own.together = PackedLinear((own.q_proj, own.k_proj, own.v_proj))
        own.q_proj = own.k_proj = own.v_proj = None
    for layer in network.git.encoder.layer:
        wide, final = layer.intermediate, layer.output
        wide.dense, final.dense, wide.intermediate_act_fn = _feed_forward(
            wide.dense, final.dense, wide.intermediate_act_fn
        )
        own = layer.attention.self
        # For a single word the three products are so small that to begin them takes as long as to compute them.
        own.together = PackedLinear((own.query, own.key, own.value))
        own.query = own.key = own.value = None
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear and layer is not network.output:
                setattr(parent, name, PackedLinear(layer))
    for layer in tower.encoder.layers:
        layer.packed = PackedEncoderLayer(layer)
    for layer in network.git.encoder.layer:
        layer.packed = PackedDecoderLayer(layer)
    tower.embeddings.patch_embedding = PackedPatches(tower.embeddings.patch_embedding)
    if why_no_int8(network.output.weight.device) is None:
        network.output = ScreenedVocabulary(network.output)


def _feed_forward(
    widening: nn.Linear, narrowing: nn.Linear, activation: nn.Module
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """The two products around an activation, and what is left of the activation."""
    if isinstance(activation, QuickGelu):
        # x sigmoid(s x) = swish(s x) / s
        first = PackedLinear(widening, "swish", times=SLOPE)
        return first, PackedLinear(narrowing, states_times=SLOPE), nn.Identity()
    if is_exact_gelu(activation):
        return PackedLinear(widening, "gelu"), PackedLinear(narrowing), nn.Identity()
    return PackedLinear(widening), PackedLinear(narrowing), activation
