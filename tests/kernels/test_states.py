"""Activations and transposed copies of the kernels against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leyenda.kernels.chance import Chance
from leyenda.kernels.library import library
from leyenda.kernels.states import (
    dropped,
    gelu,
    gelu_gradient,
    norm,
    norm_gradient,
    swish,
    swish_gradient,
    transposed_into,
)

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


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_dropout_takes_its_share_and_scales_the_rest(share):
    states = torch.randn(1 << 20).bfloat16()
    found = dropped(states, Chance(share, 3))
    left = found != 0
    wanted = (1 - share) * len(states)
    assert abs(float(left.sum()) - wanted) < 5 * (wanted * share) ** 0.5
    assert close(found[left], states[left].float() / (1 - share))


def test_dropout_follows_from_its_seed_and_each_place_is_drawn_by_itself():
    ones = torch.ones(1 << 18).bfloat16()
    first, again, other = (dropped(ones, Chance(0.5, seed)) != 0 for seed in (7, 7, 8))
    assert torch.equal(first, again)
    signs = torch.stack([first, other]).float() * 2 - 1
    # Of n fair coins, sums are below 5 times the root of n, all but once in two million.
    most = 5 * len(ones) ** 0.5
    assert abs(float((signs[0] * signs[1]).sum())) < most
    for apart in (1, 2, 7, 8, 15, 16, 17, 256, 4096):
        assert abs(float((signs[0, apart:] * signs[0, :-apart]).sum())) < most
    assert torch.equal(dropped(ones[:37], Chance(0.5, 7)) != 0, first[:37])


@pytest.mark.parametrize("shape", [(1, 16), (3, 5, 48), (200, 768)])
def test_norms_and_their_gradients_are_torchs(shape):
    torch.manual_seed(shape[-1])
    states, upstream = (torch.randn(shape).bfloat16() for _ in range(2))
    states = states * 3 + 5
    weight, bias = torch.randn(shape[-1]), torch.randn(shape[-1])
    exact = [one.double().requires_grad_() for one in (states, weight, bias)]
    usual = functional.layer_norm(exact[0], shape[-1:], *exact[1:], 1e-5)
    usual.backward(upstream.double())
    result, normed, moments = norm(states, weight, bias, 1e-5)
    of_states, of_added, of_weights = norm_gradient(states, upstream, weight, moments)
    assert close(result, usual.detach().float(), lost=1e-5)
    assert close(of_states, exact[0].grad.float(), lost=1e-5)
    assert normed is states
    assert of_added is of_states
    for found, expected in zip(of_weights, exact[1:], strict=True):
        assert torch.allclose(found, expected.grad.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("share", [None, 0.3, 1 - 1e-6])
@pytest.mark.parametrize("shape", [(1, 16), (3, 5, 48), (200, 768)])
def test_norms_of_sums_and_their_gradients_are_torchs(shape, share):
    torch.manual_seed(shape[-1])
    states, added, upstream, beside = (torch.randn(shape).bfloat16() for _ in range(4))
    weight, bias = torch.randn(shape[-1]), torch.randn(shape[-1])
    chance = None if share is None else Chance(share, 11)
    result, sums, moments = norm(states, weight, bias, 1e-5, added, chance)
    left = torch.ones(shape) if chance is None else dropped(torch.ones(shape).bfloat16(), chance) != 0
    left = left / (1 - (share or 0))
    assert close(sums, states.float() + added.float() * left)
    exact = [one.double().requires_grad_() for one in (sums, weight, bias)]
    usual = functional.layer_norm(exact[0], shape[-1:], *exact[1:], 1e-5)
    usual.backward(upstream.double())
    of_sums, of_added, of_weights = norm_gradient(sums, upstream, weight, moments, beside, chance)
    expected = exact[0].grad.float() + beside.float()
    assert close(result, usual.detach().float(), lost=1e-5)
    assert close(of_sums, expected, lost=1e-5)
    assert close(of_added, expected * left, lost=1e-5)
    for found, wanted in zip(of_weights, exact[1:], strict=True):
        assert torch.allclose(found, wanted.grad.float(), rtol=1e-4, atol=1e-4)


def test_any_number_of_threads_finds_the_same():
    states, weight = torch.randn(333, 64).bfloat16(), torch.randn(64)
    threads = torch.get_num_threads()

    def all_of_it():
        result, sums, moments = norm(states, weight, weight, 1e-5, states * 2, Chance(0.4, 3))
        gradients = norm_gradient(sums, result, weight, moments, states, Chance(0.4, 3))
        return (
            result,
            sums,
            *gradients,
            dropped(states, Chance(0.2, 1)),
            gelu(states),
            swish_gradient(states, result),
        )

    alone = all_of_it()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert all(map(torch.equal, all_of_it(), alone))
    finally:
        torch.set_num_threads(threads)
