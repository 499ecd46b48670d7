"""A linear layer that computes its gradients by itself finds those of `torch.nn.Linear`."""

from __future__ import annotations

import copy

import pytest
import torch

from leyenda.models.packed import can_pack
from leyenda.models.trained_product import (
    TrainedPatches,
    TrainedProduct,
    compute_itself,
    products,
    weight_gradient,
    weights_gradients_offered,
)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("inner", "outer"), [(48, 16), (16, 48), (32, 32)])
def test_results_and_gradients_are_those_of_torch(inner, outer, bias):
    torch.manual_seed(3)
    exact = torch.nn.Linear(inner, outer, bias=bias)
    own = copy.deepcopy(exact).bfloat16()
    compute_itself(own)
    assert isinstance(own, TrainedProduct) == can_pack(torch.device("cpu"), torch.bfloat16)
    states, upstream = torch.randn(3, 5, inner), torch.randn(3, 5, outer)

    def found(layer):
        given = states.to(layer.weight.dtype).requires_grad_()
        result = layer(given)
        result.backward(upstream.to(result.dtype))
        return [result, given.grad, *(weight.grad for weight in layer.parameters())]

    assert_near(found(own), found(exact))


def assert_near(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert float((one - other).detach().norm()) < 0.01 * float(other.detach().norm())


@pytest.mark.parametrize("size", [(16, 24), (18, 27)])
@pytest.mark.parametrize("bias", [True, False])
def test_patches_are_those_of_torch(size, bias):
    torch.manual_seed(3)
    exact = torch.nn.Conv2d(3, 40, 8, stride=8, bias=bias)
    own = copy.deepcopy(exact).bfloat16()
    compute_itself(own)
    assert isinstance(own, TrainedPatches) == can_pack(torch.device("cpu"), torch.bfloat16)
    pixels = torch.randn(2, 3, *size)

    def found(layer):
        result = layer(pixels.to(layer.weight.dtype))
        result.square().sum().backward()
        return [result, *(weight.grad for weight in layer.parameters())]

    assert_near(found(own), found(exact))


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Conv2d(3, 4, 3, stride=1),
        torch.nn.Conv2d(3, 4, 4, stride=4, padding=1),
        torch.nn.Conv2d(4, 4, 4, stride=4, groups=2),
        torch.nn.Conv2d(4, 4, 4, stride=4, dilation=2),
        torch.nn.Linear(3, 4),
    ],
)
def test_what_is_something_else_stays_as_it_is(layer):
    before = type(layer)
    compute_itself(layer.bfloat16() if before is torch.nn.Conv2d else layer)
    assert type(layer) is before


def test_several_products_of_the_same_states():
    torch.manual_seed(3)
    exact = [torch.nn.Linear(32, outer) for outer in (32, 48, 16)]
    own = [copy.deepcopy(layer).bfloat16() for layer in exact]
    for layer in own:
        compute_itself(layer)
    states = torch.randn(3, 5, 32)

    def found(layers):
        given = states.to(layers[0].weight.dtype).requires_grad_()
        results = products(given, *layers)
        sum(result.square().sum() for result in results).backward()
        gradients = [weight.grad for layer in layers for weight in layer.parameters()]
        return [*results, given.grad, *gradients]

    assert_near(found(own), found(exact))


def test_gradients_of_two_passes_are_added_up():
    layer = torch.nn.Linear(8, 4).bfloat16()
    compute_itself(layer)
    for _ in range(2):
        layer(torch.ones(3, 8).bfloat16()).sum().backward()
    assert layer.weight.grad.tolist() == [[6.0] * 8] * 4
    assert layer.bias.grad.tolist() == [6.0] * 4


def test_what_is_offered_and_not_taken_is_done_at_once():
    layer = torch.nn.Linear(8, 4).bfloat16()
    compute_itself(layer)
    offered = []
    states = torch.ones(3, 8).bfloat16().requires_grad_()
    with weights_gradients_offered(lambda task: bool(offered.append(task))):
        layer(states).sum().backward()
    assert len(offered) == int(can_pack(torch.device("cpu"), torch.bfloat16))
    assert layer.bias.grad.tolist() == [3.0] * 4
    assert states.grad is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_of_a_weight(dtype):
    gradient, states = torch.randn(6, 3).to(dtype), torch.randn(6, 5).to(dtype)
    found = weight_gradient(gradient, states)
    assert found.dtype == dtype
    assert torch.allclose(found.float(), gradient.float().T @ states.float(), atol=0.05)


def test_a_frozen_weight_gets_no_gradient():
    layer = torch.nn.Linear(8, 4).bfloat16()
    compute_itself(layer)
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, 8).bfloat16()).sum().backward()
    assert layer.weight.grad is None
    assert float(layer.bias.grad[0]) == 2.0
