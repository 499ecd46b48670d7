"""A linear layer that computes its gradients by itself finds those of `torch.nn.Linear`."""

from __future__ import annotations

import copy

import pytest
import torch

from leyenda.models.packed import can_pack
from leyenda.models.trained_product import TrainedProduct, compute_itself


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

    for one, other in zip(found(own), found(exact), strict=True):
        assert one.shape == other.shape
        assert float((one - other).norm()) < 0.01 * float(other.norm())


def test_a_frozen_weight_gets_no_gradient():
    layer = torch.nn.Linear(8, 4).bfloat16()
    compute_itself(layer)
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, 8).bfloat16()).sum().backward()
    assert layer.weight.grad is None
    assert float(layer.bias.grad[0]) == 2.0
