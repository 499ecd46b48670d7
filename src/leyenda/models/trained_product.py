"""Linear layers of bf16 weights for training on a CPU: fewer passes over the states than `torch.nn.Linear` makes.

In bf16 torch's own writes the bias into its result and reads it again; and oneDNN, which computes the products, finds
a weight's gradient faster where the narrower of the two states that it is found from was transposed before. Then the
gradient of a layer that widens comes out transposed, and autograd would put it straight by a copy that takes longer
than what was gained; so these layers leave their weights' gradients in `grad` themselves, in whatever order of memory.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from leyenda.kernels.states import can_pass, transposed_into
from leyenda.models.packed import can_pack
from leyenda.models.patches import are_side_by_side, cut

Task = Callable[[], None]
"""Something to do that nothing waits for but the end of a backward pass."""

_LINE = 32
"""Numbers in bf16 that are fetched from memory together."""

_OF_THREAD = threading.local()


@contextlib.contextmanager
def weights_gradients_offered(offer: Callable[[Task], bool]) -> Iterator[None]:
    """In this thread and block, `backward` offers finding the gradients of weights to others.

    Args:
        offer: takes what is to be done, or returns False, and it is done here.

    >>> tasks = []
    >>> layer = nn.Linear(4, 3).bfloat16()
    >>> compute_itself(layer)
    >>> with weights_gradients_offered(lambda task: not tasks.append(task)):
    ...     layer(torch.ones(2, 4).bfloat16()).sum().backward()
    >>> layer.bias.grad is None
    True
    >>> tasks[0]()
    >>> layer.bias.grad.tolist()
    [2.0, 2.0, 2.0]
    """
    before = getattr(_OF_THREAD, "offer", None)
    _OF_THREAD.offer = offer
    try:
        yield
    finally:
        _OF_THREAD.offer = before


class TrainedProduct(nn.Linear):
    """A `torch.nn.Linear` of bf16 weights on a CPU that computes forward and backward by itself.

    >>> layer = nn.Linear(4, 3).bfloat16()
    >>> states = torch.randn(2, 4).bfloat16()
    >>> expected = layer(states)
    >>> compute_itself(layer)
    >>> torch.allclose(layer(states), expected, atol=0.02)
    True
    """

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Bf16 `[..., in_features]` to bf16 `[..., out_features]`."""
        return _products(states, self)[0]


class TrainedPatches(nn.Conv2d):
    """A `torch.nn.Conv2d` of patches side by side, as the product that it is.

    >>> layer = nn.Conv2d(3, 5, 4, stride=4).bfloat16()
    >>> pixels = torch.randn(2, 3, 8, 8).bfloat16()
    >>> expected = layer(pixels)
    >>> compute_itself(layer)
    >>> torch.allclose(layer(pixels), expected, atol=0.02)
    True
    """

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """`[batch, channels, height, width]` to bf16 `[batch, out_channels, rows, columns]` of patches."""
        patches = cut(pixels.to(self.weight.dtype), self.kernel_size)
        return _products(patches, self)[0].permute(0, 3, 1, 2)


def compute_itself(layer: nn.Module) -> None:
    """Make a layer a `TrainedProduct` or `TrainedPatches`, where its weights and this build of torch allow it.

    Args:
        layer: changed in place; its weights and their names stay.
    """
    if type(layer) is nn.Linear and can_pack(layer.weight.device, layer.weight.dtype):
        layer.__class__ = TrainedProduct
    if (
        type(layer) is nn.Conv2d
        and can_pack(layer.weight.device, layer.weight.dtype)
        and are_side_by_side(layer)
    ):
        layer.__class__ = TrainedPatches


def products(states: torch.Tensor, *layers: Any) -> Sequence[torch.Tensor]:
    """What several layers make of the same states; `TrainedProduct`s prepare these once for all their gradients.

    Args:
        states: `[..., in_features]`.
        layers: modules that take it.

    Returns:
        For each layer `[..., out_features]`.

    >>> layers = nn.Linear(4, 3), nn.Linear(4, 2)
    >>> [tuple(result.shape) for result in products(torch.ones(5, 4), *layers)]
    [(5, 3), (5, 2)]
    """
    if all(isinstance(layer, TrainedProduct) for layer in layers):
        return _products(states, *layers)
    return [layer(states) for layer in layers]


def _products(states: torch.Tensor, *layers: nn.Linear | nn.Conv2d) -> Sequence[torch.Tensor]:
    weights = [layer.weight for layer in layers] + [layer.bias for layer in layers]
    results: Sequence[torch.Tensor] = _Products.apply(states, *weights)  # type: ignore[no-untyped-call]
    return results


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, *parameters: torch.Tensor | None) -> Any:
        half = len(parameters) // 2
        ctx.layers = [_Layer(*both) for both in zip(parameters[:half], parameters[half:], strict=True)]
        ctx.save_for_backward(states)
        return tuple(layer.product(states) for layer in ctx.layers)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (states,) = ctx.saved_tensors
        rows = [gradient.flatten(0, -2) for gradient in gradients]
        if any(ctx.needs_input_grad[1:]):
            find = functools.partial(_leave_gradients, ctx.layers, states.flatten(0, -2), rows)
            offer: Callable[[Task], bool] | None = getattr(_OF_THREAD, "offer", None)
            if offer is None or not offer(find):
                find()
        of_states = None
        if ctx.needs_input_grad[0]:
            of_states = rows[0] @ ctx.layers[0].matrix
            for gradient, layer in zip(rows[1:], ctx.layers[1:], strict=True):
                of_states.addmm_(gradient, layer.matrix)
            of_states = of_states.view(states.shape)
        return of_states, *(None for _ in ctx.needs_input_grad[1:])


class _Layer:
    """A product's weight and bias."""

    def __init__(self, weight: Any, bias: Any) -> None:
        self.weight, self.bias = weight, bias
        self.matrix = weight.detach().flatten(1)

    def product(self, states: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self.matrix, self.bias, "none", [], ""
        )
        return result


def _leave_gradients(
    layers: Sequence[_Layer], states: torch.Tensor, gradients: Sequence[torch.Tensor]
) -> None:
    """Those of the layers' weights and biases, from `[rows, in]` and for each layer `[rows, out]`."""
    turned: torch.Tensor | None = None
    for layer, gradient in zip(layers, gradients, strict=True):
        outer, inner = layer.matrix.shape
        if outer < inner:
            _leave(layer.weight, weight_gradient(gradient, states))
            _leave(layer.bias, _sum_of_rows(gradient))
            continue
        if turned is None:
            # With a row of ones below them, the same product finds the bias's gradient.
            turned = _rows_of_whole_lines(states, inner + 1)
            _transposed_into(turned[:inner], states)
            turned[inner].fill_(1)
        found = turned @ gradient
        _leave(layer.weight, found[:inner].t())
        _leave(layer.bias, found[inner])


def _leave(parameter: Any, gradient: torch.Tensor) -> None:
    """In `grad`, or added to what is there."""
    if parameter is None or not parameter.requires_grad:
        return
    gradient = gradient.reshape(parameter.shape)
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


def weight_gradient(gradient: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Of a product's weight, from the gradient of its result, which is transposed first where that is faster.

    Args:
        gradient: `[rows, out_features]`.
        states: `[rows, in_features]`, in the same number format.

    Returns:
        `[out_features, in_features]` in this format.
    """
    if gradient.device.type != "cpu" or gradient.dtype != torch.bfloat16:
        return gradient.t() @ states
    # OneDNN would turn each part of it several times.
    turned = _transposed_into(_rows_of_whole_lines(gradient, gradient.shape[1]), gradient)
    return turned @ states


def _rows_of_whole_lines(states: torch.Tensor, count: int) -> torch.Tensor:
    """Room for rows as long as there are states, each of which begins where a line of the cache does.

    Zeros are between them: oneDNN multiplies what is there by zero, which is not zero for what is not a number.
    """
    whole = states.new_empty(count, -(-len(states) // _LINE) * _LINE)
    whole[:, len(states) :] = 0
    return whole[:, : len(states)]


def _transposed_into(turned: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    return transposed_into(turned, states) if can_pass(states) else turned.copy_(states.t())


def _sum_of_rows(states: torch.Tensor) -> torch.Tensor:
    """`[rows, width]` to `[width]`, as a product with ones, which is twice as fast as `sum`."""
    return (states.new_ones(16, len(states)) @ states)[0]  # sixteen rows take less time than one
