"""The loss of words from states, against `torch`'s own cross-entropy."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leyenda.models import caption_loss as module
from leyenda.models.caption_loss import NO_WORD, caption_loss


@pytest.fixture(autouse=True)
def small_slices(monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", 4)


def setting(words, bias=True):
    torch.manual_seed(words)
    states = torch.randn(words, 6, dtype=torch.double, requires_grad=True)
    return states, torch.nn.Linear(6, 11, bias=bias, dtype=torch.double), torch.randint(0, 11, (words,))


@pytest.mark.parametrize("words", [1, 4, 5, 13])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("divisor", [None, 7.0, torch.tensor(3)])
def test_value_and_gradients(words, bias, divisor):
    states, vocabulary, targets = setting(words, bias)
    loss = functional.cross_entropy(vocabulary(states), targets, reduction="sum") / (divisor or words)
    weights = [states, *vocabulary.parameters()]
    expected = torch.autograd.grad(3 * loss, weights)
    ours = caption_loss(states, vocabulary, targets, divisor)
    assert ours.item() == pytest.approx(loss.item(), rel=1e-6)
    for found, right in zip(torch.autograd.grad(3 * ours, weights), expected, strict=True):
        # The softmax is in float32 whatever the weights are in.
        torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.1, 0.7])
def test_smoothing(smoothing):
    states, vocabulary, targets = setting(13)
    targets[[2, 12]] = NO_WORD
    loss = functional.cross_entropy(vocabulary(states), targets, label_smoothing=smoothing)
    weights = [states, *vocabulary.parameters()]
    ours = caption_loss(states, vocabulary, targets, smoothing=smoothing)
    assert ours.item() == pytest.approx(loss.item(), rel=1e-6)
    expected = torch.autograd.grad(loss, weights)
    for found, right in zip(torch.autograd.grad(ours, weights), expected, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("divisor", [None, 7.0])
def test_weights(divisor):
    """They may be negative; where no word is to be predicted, they count nothing."""
    states, vocabulary, targets = setting(13)
    targets[[2, 12]] = NO_WORD
    weights = torch.randn(13)
    losses = functional.cross_entropy(vocabulary(states), targets, reduction="none")
    loss = (losses * weights).sum() / (divisor or 11)
    learned = [states, *vocabulary.parameters()]
    ours = caption_loss(states, vocabulary, targets, divisor, weights=weights)
    assert ours.item() == pytest.approx(loss.item(), rel=1e-5)
    expected = torch.autograd.grad(loss, learned)
    for found, right in zip(torch.autograd.grad(ours, learned), expected, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-6)


def test_where_no_word_is_to_be_predicted_nothing_counts():
    states, vocabulary, targets = setting(13)
    targets[[0, 5, 6, 12]] = NO_WORD
    loss = functional.cross_entropy(vocabulary(states), targets)
    weights = [states, *vocabulary.parameters()]
    ours = caption_loss(states, vocabulary, targets)
    assert ours.item() == pytest.approx(loss.item(), rel=1e-6)
    expected = torch.autograd.grad(loss, weights)
    for found, right in zip(torch.autograd.grad(ours, weights), expected, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-6)


def test_frozen_parts_get_no_gradient_and_no_grad_keeps_none():
    states, vocabulary, targets = setting(9)
    vocabulary.weight.requires_grad_(False)
    caption_loss(states, vocabulary, targets).backward()
    assert vocabulary.weight.grad is None
    assert states.grad is not None
    with torch.no_grad():
        assert not caption_loss(states, vocabulary, targets).requires_grad


def test_no_words_are_no_loss():
    states, vocabulary, targets = setting(0)
    loss = caption_loss(states, vocabulary, targets)
    loss.backward()
    assert loss.item() == 0.0
