"""Matrix products in whole numbers of 8 bits, for captioning on a CPU that has instructions for them (VNNI, AMX).

Each row of the weights has its own scale, found once; each token's states have theirs, found when they come (Dettmers
et al. 2022, "LLM.int8()", arXiv:2208.07339, section 3: vector-wise quantization). A token's scale depends on nothing
but that token, so that a caption does not depend on which pictures share its batch. Embeddings, normalisation,
attention and softmax stay as they are. The products are torch's own oneDNN kernels, those that torchao is lowered to;
`docs/performance.md` has the comparison with other libraries.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from leyenda.errors import ModelError
from leyenda.kernels.library import has_tiles
from leyenda.kernels.row import can_multiply_whole_row, multiply_whole_row

_MOST = 126
"""Largest absolute value of a quantized state: one below 127, since the scale itself is rounded to bf16."""

_ZERO = 128
"""States are stored from 0 to 255: with signed ones the kernel falls back to plain loops on CPUs without AMX."""


class Int8Linear(nn.Module):
    """A linear layer of 8-bit weights; it takes the number format of the layer that it replaces.

    Args:
        linear: the layer, on the CPU.
        quantizer: finds the states' scales; layers that read the same states share one.
        gives: number format of what it gives; None is that of the layer.
    """

    def __init__(
        self, linear: nn.Linear, quantizer: StateQuantizer, gives: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_(min=1e-12) / 127
        whole = (weight / scale[:, None]).round_().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(whole, None)
        self.scale = scale
        self.zeros = torch.zeros(self.out_features, dtype=torch.int64)
        bias = linear.bias if linear.bias is not None else torch.zeros(self.out_features)
        self.takes = linear.weight.dtype
        self.gives = gives or linear.weight.dtype
        self.bias = bias.detach().to(self.gives)
        self._quantizer = quantizer
        self._as_left_factor: torch.Tensor | None = None

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`[..., in_features]` to `[..., out_features]`."""
        whole, scale = self._quantizer(states)
        product = self._product_of_row(whole) if len(whole) == 1 and has_tiles() else self._product(whole)
        new = torch.addcmul(self.bias, product, scale)
        return new.view(*states.shape[:-1], self.out_features)

    def _product(self, whole: torch.Tensor) -> torch.Tensor:
        """Uint8 `[rows, in_features]` to `[rows, out_features]`."""
        product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, 1.0, _ZERO, self.packed, self.scale, self.zeros, None, 1.0, 0, self.gives, "none", [], ""
        )
        return product

    def _product_of_row(self, whole: torch.Tensor) -> torch.Tensor:
        """The same numbers for `[1, in_features]`.

        It takes the time in which the weights are read: by a kernel of leyenda's own, or as the left factor, which
        oneDNN reads faster on a CPU with tiles.
        """
        if self._as_left_factor is None:  # only who captions pictures one by one needs the memory
            self._as_left_factor = self.packed.to_dense().t().clone(memory_format=torch.contiguous_format)
        if can_multiply_whole_row(self._as_left_factor):
            return multiply_whole_row(self._as_left_factor, self.scale, whole).to(self.gives)
        signed = (whole ^ _ZERO).view(torch.int8)
        sums = torch._int_mm(self._as_left_factor, signed.view(-1, 1))
        return sums.view(1, -1).float().mul_(self.scale).to(self.gives)


class StateQuantizer:
    """Whole numbers for states, token by token; remembers the last, which the next layer may read as well.

    Several threads may use one at the same time: what is remembered is read, and written, at one stroke.
    """

    def __init__(self) -> None:
        self._last: tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]] | None = None

    def __call__(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quantize `[..., width]`.

        Returns:
            uint8 `[tokens, width]`, 128 standing for zero, and their scale `[tokens, 1]`, in the states' format.
        """
        last = self._last
        if last is not None and last[0] is states:
            return last[1]
        rows = states.reshape(-1, states.shape[-1])
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_(min=1e-12) / _MOST
        # Truncated to whole numbers below, the half more makes it rounding.
        whole = (rows * scale.float().reciprocal()).add_(_ZERO + 0.5).to(torch.uint8)
        self._last = states, (whole, scale)
        return whole, scale

    def forget(self) -> None:
        """Let go of the last states."""
        self._last = None


def check_int8(device: torch.device) -> None:
    """See that 8-bit products can be computed here.

    Raises:
        ModelError: they cannot, as `why_no_int8` says.
    """
    if reason := why_no_int8(device):
        raise reason


def why_no_int8(device: torch.device) -> ModelError | None:
    """Another device than a CPU, or a CPU or a torch without 8-bit products; None where nothing speaks against them."""
    if device.type != "cpu":
        return ModelError(f"int8 is for CPUs, not for {device}.", "Use --precision auto, or --device cpu.")
    has_kernels: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not has_kernels or not hasattr(torch.ops.onednn, "qlinear_pointwise"):
        return ModelError("This build of torch has no 8-bit products (oneDNN).", "Use --precision auto.")
    # Without VNNI the kernels add up in 16 bits, which overflow.
    if not getattr(torch.cpu, "_is_vnni_supported", bool)():
        return ModelError("This CPU has no instructions for 8-bit products (VNNI).", "Use --precision auto.")
    return None


def quantize(model: Any) -> Any:
    """Give a model's linear layers 8-bit weights.

    Args:
        model: a captioning network on the CPU, in evaluation mode; changed in place. It can caption, and can neither
            be trained nor saved any more.

    Returns:
        The model.
    """
    # Logits rounded to bf16 have ties between words, which fall as they like.
    words = model.get_output_embeddings()
    for parent in list(model.modules()):
        quantizer = StateQuantizer()
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear:
                gives = torch.float32 if layer is words else None
                setattr(parent, name, Int8Linear(layer, quantizer, gives))
    model.save_pretrained = _refuse
    return model


def is_quantized(model: Any) -> bool:
    """Whether `quantize` has changed it."""
    return any(isinstance(layer, Int8Linear) for layer in model.modules())


def _refuse(*_: Any, **__: Any) -> None:
    raise ModelError("A model in int8 cannot be saved.", "Load it with another precision and save that.")
