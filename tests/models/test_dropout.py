"""Dropout: the share that was asked for, the mean kept, one chance per seed, gradients through what stayed."""

from __future__ import annotations

import pytest
import torch

from leyenda.models.dropout import drop


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share, dtype):
    torch.manual_seed(1)
    states = torch.ones(1001, 997, dtype=dtype)
    dropped = drop(states, share)
    assert dropped.dtype == dtype
    assert float((dropped == 0).float().mean()) == pytest.approx(share, abs=0.002)
    assert float(dropped.float().mean()) == pytest.approx(1.0, abs=0.02)
    exact = torch.nn.functional.dropout(states, share)
    assert torch.equal(dropped.unique(), exact.unique())


def test_elements_are_dropped_independently():
    torch.manual_seed(1)
    gone = (drop(torch.ones(1000, 1000), 0.3) == 0).float()
    for one, other in ((gone[:, 1:], gone[:, :-1]), (gone[1:], gone[:-1]), (gone[:, 4:], gone[:, :-4])):
        assert float((one * other).mean()) == pytest.approx(0.09, abs=0.002)


def test_a_seed_gives_the_same_and_the_next_call_another():
    states = torch.ones(64, 64)
    torch.manual_seed(5)
    first, second = drop(states, 0.5), drop(states, 0.5)
    torch.manual_seed(5)
    assert torch.equal(drop(states, 0.5), first)
    assert not torch.equal(first, second)


def test_gradients_go_through_what_stayed():
    states = torch.randn(7, 13, 3, requires_grad=True)
    dropped = drop(states, 0.25)
    dropped.backward(torch.full_like(dropped, 3.0))
    assert torch.allclose(states.grad, torch.where(dropped == 0, 0.0, 4.0))


def test_all_or_nothing():
    states = torch.randn(50)
    assert drop(states, 0.0) is states
    assert not drop(states, 1.0).any()
