"""Sums that go on as they are and normed: values and gradients as torch's own layers give them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from leyenda.kernels.library import library
from leyenda.models import trained_norm
from leyenda.models.dropout import chance_of_its_own, drop
from leyenda.models.trained_norm import TrainedNorm, sum_and_norm

SHAPE = 4, 37, 64
KINDS = [
    nn.LayerNorm,
    pytest.param(TrainedNorm, marks=pytest.mark.skipif(library() is None, reason="no kernels")),
]


def layer(kind):
    torch.manual_seed(1)
    norm = nn.LayerNorm(SHAPE[-1])
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.__class__ = kind
    return norm


def learned(norm, states, added, dropout, compute):
    """Gradients of everything, where both results are used."""
    states, added = states.clone().requires_grad_(), None if added is None else added.clone().requires_grad_()
    with chance_of_its_own(3):
        sums, normed = compute(norm, states, added, dropout)
    (sums.float() * 0.3 + normed.float().square()).sum().backward()
    left = [sums, normed, states.grad, *([] if added is None else [added.grad])]
    return [one.detach().float() for one in left], [norm.weight.grad, norm.bias.grad]


def one_after_the_other(norm, states, added, dropout):
    if added is not None:
        states = states + drop(added, dropout)
    return states, nn.functional.layer_norm(
        states.float(), SHAPE[-1:], norm.weight, norm.bias, norm.eps
    ).bfloat16()


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("is_added", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_both_results_and_all_gradients(kind, is_added, dropout):
    norm = layer(kind)
    states, added = (torch.randn(SHAPE).bfloat16() for _ in range(2))
    added = added if is_added else None
    if kind is nn.LayerNorm:
        norm.bfloat16()
    found, of_weights = learned(norm, states, added, dropout, sum_and_norm)
    expected, expected_of_weights = learned(
        copy.deepcopy(layer(nn.LayerNorm)), states, added, dropout, one_after_the_other
    )
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).norm()) < 0.01 * float(other.norm())
    for one, other in zip(of_weights, expected_of_weights, strict=True):
        # Torch sums the gradients of bf16 weights in bf16, in an order that depends on its threads.
        assert float((one.float() - other).norm()) < 0.05 * float(other.norm())


@pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")
def test_the_kernel_is_used_where_it_can_be(monkeypatch):
    asked = []
    usual = trained_norm.kernels.norm
    monkeypatch.setattr(trained_norm.kernels, "norm", lambda *given: asked.append(1) or usual(*given))
    states = torch.randn(SHAPE).bfloat16()
    sum_and_norm(layer(TrainedNorm), states, states, 0.1)
    assert asked == [1]
    for norm, one in (
        (layer(nn.LayerNorm).bfloat16(), states),
        (layer(TrainedNorm), states.float()),
        (layer(TrainedNorm).bfloat16(), states),
    ):
        sum_and_norm(norm, one, one, 0.1)
    sum_and_norm(layer(TrainedNorm).float(), states.float(), states.float(), 1.0)
    assert asked == [1]


def test_all_of_it_dropped_is_the_norm_of_the_states():
    states = torch.randn(SHAPE)
    sums, normed = sum_and_norm(layer(TrainedNorm), states, torch.full(SHAPE, 9.0), 1.0)
    assert torch.equal(sums, states)
    assert torch.equal(normed, layer(nn.LayerNorm)(states))
