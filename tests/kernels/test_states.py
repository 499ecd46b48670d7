"""Activations and transposed copies of the kernels against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leyenda.kernels.library import library
from leyenda.kernels.states import gelu, gelu_gradient, swish, swish_gradient, transposed_into

pytestmark = pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")

ACTIVATIONS = [(swish, swish_gradient, functional.silu), (gelu, gelu_gradient, functional.gelu)]


def close(found, exact, lost=1e-6):
    """Half of the last of 8 bits away, and what is lost where two numbers of about 1 cancel."""
    assert found.dtype == torch.bfloat16
    return bool(((found.float() - exact).abs() <= exact.abs() * 2**-8 + lost).all())


@pytest.mark.parametrize(("of", "gradient", "usual"), ACTIVATIONS, ids=["swish", "gelu"])
@pytest.mark.parametrize("shape", [(1,), (15,), (16,), (3, 5, 7), (1, 1024)])
def test_activations_are_torchs(of, gradient, usual, shape):
    torch.manual_seed(sum(shape))
    states = (torch.randn(shape) * 4).bfloat16()
    upstream = torch.randn(shape).bfloat16()
    exact = states.double().requires_grad_()
    result = usual(exact)
    result.backward(upstream.double())
    assert close(of(states), result.detach().float())
    assert close(gradient(states, upstream), exact.grad.float(), lost=2e-4)


@pytest.mark.parametrize(("of", "gradient", "usual"), ACTIVATIONS, ids=["swish", "gelu"])
def test_every_number_of_16_bits_has_its_activation(of, gradient, usual):
    """The greatest ones too: what is beyond the range of an exponential is 0 or the number itself."""
    states = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    states = states[torch.isfinite(states)]
    exact = states.double().requires_grad_()
    usual(exact).sum().backward()
    assert close(of(states), usual(states.double()).float())
    assert close(gradient(states, torch.ones_like(states)), exact.grad.float(), lost=2e-4)


@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (1, 33), (32, 32), (33, 45), (1576, 768)])
def test_transposed_copies_are_torchs(shape):
    whole = torch.randn(shape[0], shape[1] + 3).bfloat16()
    states = whole[:, : shape[1]]
    turned = torch.full((shape[1] + 1, shape[0] + 5), 9.0).bfloat16()
    assert torch.equal(transposed_into(turned[:-1, : shape[0]], states), states.t())
    assert (turned[-1] == 9).all()
    assert (turned[:, shape[0] :] == 9).all()


def test_states_that_lie_in_another_order_are_copied_first():
    states = torch.randn(6, 8).bfloat16().t()
    assert torch.equal(swish(states), swish(states.contiguous()))
    assert torch.equal(transposed_into(states.new_empty(6, 8), states), states.t())
    alike = torch.ones(1, 1).bfloat16().expand(8, 6)
    assert torch.equal(gelu_gradient(states, alike), gelu_gradient(states.contiguous(), alike.contiguous()))
