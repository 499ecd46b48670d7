"""Attention as training computes it on a CPU, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leyenda.models.attention import attend, split_heads
from leyenda.models.dropout import chance_of_its_own

BATCH, HEADS = 3, 4
WIDTHS = (8, 32)
"""Of heads: one that is torch's everywhere, and one that kernels take, in bf16 on CPUs that have them."""


def states(length, seed, dtype=torch.float32, width=8):
    torch.manual_seed(seed)
    return torch.randn(BATCH, length, HEADS * width).to(dtype).requires_grad_()


def whole_mask(mask, asking, told):
    """That of `attend` for all queries."""
    if mask is None:
        return torch.ones(BATCH, 1, asking, told, dtype=torch.bool)
    last = mask.shape[2]
    whole = torch.zeros(BATCH, 1, asking, told, dtype=torch.bool)
    whole[:, :, :-last, : told - last] = True
    whole[:, :, -last:] = mask
    return whole


def results(given, compute, upstream):
    for one in given:
        one.grad = None
    seen = compute(*(split_heads(one, HEADS) for one in given))
    seen.backward(upstream.to(seen.dtype))
    return [seen.detach(), *(one.grad for one in given)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize(
    ("asking", "told", "last"), [(7, 7, None), (7, 7, 3), (3, 7, 3), (1, 5, 1), (20, 20, None), (20, 20, 17)]
)
def test_results_and_gradients_are_those_of_torch(asking, told, last, dtype, tolerance, width):
    given = [states(length, seed, dtype, width) for seed, length in enumerate((asking, told, told))]
    mask = None
    if last:
        mask = torch.rand(BATCH, 1, last, told) < 0.6
        mask[..., 0] = True
    upstream = torch.randn(BATCH, asking, HEADS * width)
    exact = [one.detach().float().requires_grad_() for one in given]
    whole = whole_mask(mask, asking, told)

    def usual(queries, keys, values):
        seen = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=whole)
        return seen.transpose(1, 2).flatten(2)

    expected = results(exact, usual, upstream)
    found = results(given, lambda *three: attend(*three, mask=mask), upstream)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == dtype
        assert float((one - other).norm()) <= tolerance * float(other.norm())
    with torch.no_grad():
        plain = attend(*(split_heads(one, HEADS) for one in given), mask=mask)
    assert float((plain - expected[0]).norm()) <= tolerance * float(expected[0].norm())


def test_in_dropout_the_mean_stays_and_gradients_are_of_what_was_left():
    """With values that tell the keys apart, the weights that were left can be read from the result."""
    length = 64
    queries, keys = (torch.randn(1, 2, length, length) for _ in range(2))
    values = torch.eye(length).expand(1, 2, length, length).clone()
    three = [one.requires_grad_() for one in (queries, keys, values)]
    with chance_of_its_own(4):
        seen = attend(*three, dropout=0.25)
    exact = torch.softmax(queries @ keys.transpose(-1, -2) * length**-0.5, dim=-1)
    left = seen.view(1, length, 2, length).transpose(1, 2)
    kept = left != 0
    assert float(kept.float().mean()) == pytest.approx(0.75, abs=0.02)
    assert torch.allclose(left, exact * kept / 0.75, atol=1e-6)
    upstream = torch.randn_like(seen)
    found = torch.autograd.grad(seen, three, upstream)
    same = (exact * kept / 0.75) @ values
    expected = torch.autograd.grad(same.transpose(1, 2).flatten(2), three, upstream)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_all_dropped_is_nothing():
    three = [torch.randn(1, 2, 3, 4, requires_grad=True) for _ in range(3)]
    seen = attend(*three, dropout=1.0)
    assert not seen.any()
    seen.sum().backward()
    assert not any(one.grad.any() for one in three)
