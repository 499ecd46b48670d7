"""Gradients that are too long are clipped as torch clips them, whatever optimizer takes them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from leyenda.training.clipping import clip


class Wrapped:
    """As accelerate's optimizer, which has torch's inside."""

    def __init__(self, optimizer):
        self.optimizer = optimizer


def adamw(weights):
    return torch.optim.AdamW(weights, lr=0.1, fused=True)


def adam(weights):
    return torch.optim.Adam(weights, lr=0.1, fused=True)


def in_loops(weights):
    return torch.optim.AdamW(weights, lr=0.1, foreach=False)


def sgd(weights):
    return torch.optim.SGD(weights, lr=0.1)


def network():
    torch.manual_seed(4)
    layers = nn.Sequential(nn.Linear(40, 70), nn.Linear(70, 3))
    layers[1].bias.requires_grad_(False)
    return layers


def learn(layers, times):
    layers.zero_grad()
    (layers(torch.ones(5, 40)).square().sum() * times).backward()


@pytest.mark.parametrize("kind", [adamw, adam, in_loops, sgd])
def test_steps_are_those_of_torchs_own_clipping(kind):
    own, usual = network(), network()
    of_own, of_usual = kind(own.parameters()), kind(usual.parameters())
    # Too long, short enough, and too long again: what one step is divided by does not stay for the next.
    for times in (10.0, 1e-4, 3.0, 1e-5):
        learn(own, times)
        learn(usual, times)
        gradients = [weight.grad for weight in own.parameters() if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        clip(own, Wrapped(of_own), norm, 0.5)
        expected = clip_grad_norm_(usual.parameters(), 0.5)
        assert torch.allclose(norm, expected)
        of_own.step()
        of_usual.step()
        for one, other in zip(own.parameters(), usual.parameters(), strict=True):
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)


def test_what_is_short_enough_stays_as_it_is():
    layers = network()
    learn(layers, 1e-6)
    before = [copy.deepcopy(weight.grad) for weight in layers.parameters()]
    clip(layers, sgd(layers.parameters()), torch.tensor(0.1), 1.0)
    for weight, gradient in zip(layers.parameters(), before, strict=True):
        assert (weight.grad is None) if gradient is None else torch.equal(weight.grad, gradient)
