"""The kernel's attention against torch's own in float32, forward and backward."""

from __future__ import annotations

import pytest
import torch

from leyenda.kernels.attention import attention, can_attend, gradients_of_attention
from leyenda.kernels.chance import Chance
from leyenda.kernels.library import library
from leyenda.kernels.states import dropped

pytestmark = pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")

SHAPES = {
    "one tile": (1, 1, 16, 16, 32),
    "an image": (2, 3, 197, 197, 64),
    "an image and its caption": (2, 3, 209, 209, 64),
    "a caption": (2, 2, 12, 209, 64),
    "one position": (1, 1, 1, 1, 64),
    "one query": (2, 2, 1, 30, 32),
    "odd": (1, 2, 33, 47, 32),
    "wide": (1, 2, 225, 225, 128),
    "not a power of two": (3, 2, 5, 5, 96),
}


def states(images, heads, positions, width):
    """As they come from a product, the heads of a position side by side."""
    whole = torch.randn(images, positions, heads * width) * 1.5
    return whole.bfloat16().view(images, positions, heads, width).transpose(1, 2)


def left(shape, chance):
    """What dropout leaves of the weights: sixteen of a row are drawn at a time."""
    images, heads, asking, told = shape
    ones = torch.ones(images, heads, asking, -(-told // 16) * 16).bfloat16()
    return (dropped(ones, chance) != 0)[..., :told]


def exact(three, choice, upstream):
    """What torch finds in float32: the result and the three gradients."""
    mask, chance = choice
    queries, keys, values = (one.detach().float().requires_grad_() for one in three)
    scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
    if mask is not None:
        last = mask.shape[1]
        seen = torch.ones(len(scores), 1, *scores.shape[2:], dtype=torch.bool)
        seen[:, :, :-last, -last:] = False
        seen[:, 0, -last:] = mask
        scores = scores.masked_fill(~seen, float("-inf"))
    weights = scores.softmax(-1)
    if chance is not None:
        weights = weights * left(weights.shape, chance) * chance.times
    result = weights @ values
    return result.detach(), *torch.autograd.grad(result, (queries, keys, values), upstream.float())


def found(three, choice, upstream):
    attended, logarithms = attention(*three, *choice)
    return attended, *gradients_of_attention(three, attended, upstream, logarithms, *choice)


def given(shape, last=0, dropout=0.0):
    images, heads, asking, told, width = shape
    torch.manual_seed(told)
    three = [states(images, heads, length, width) for length in (asking, told, told)]
    mask = torch.rand(images, last, told) < 0.7 if last else None
    if mask is not None:
        mask[:, :, :1] = True
    choice = mask, Chance(dropout, told) if dropout else None
    return three, choice, states(images, heads, asking, width)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_result_and_gradients_are_exact_ones_rounded(shape, dropout):
    """Rounding to 8 bits moves a number by a 512th of it; products of rounded ones move a little more."""
    three, choice, upstream = given(shape, dropout=dropout)
    for one, other in zip(found(three, choice, upstream), exact(three, choice, upstream), strict=True):
        assert float((one.float() - other).norm()) <= 0.006 * float(
            other.norm() + upstream.float().norm() / 2
        )


@pytest.mark.parametrize(
    ("asking", "told", "last"), [(209, 209, 12), (12, 209, 12), (40, 40, 40), (33, 33, 1)]
)
def test_nobody_looks_where_it_may_not(asking, told, last):
    three, choice, upstream = given((2, 3, asking, told, 64), last, 0.1)
    for one, other in zip(found(three, choice, upstream), exact(three, choice, upstream), strict=True):
        assert float((one.float() - other).norm()) <= 0.006 * float(other.norm())


def test_what_is_hidden_may_be_anything():
    """Gradients of hidden keys are zero, and no hidden number, not even the greatest, shows in what is found."""
    three, choice, upstream = given((1, 2, 20, 20, 32), last=20)
    choice[0][..., 7] = False
    before = found(three, choice, upstream)
    three[1][:, :, 7], three[2][:, :, 7] = 3e38, -3e38
    after = found(three, choice, upstream)
    for one, other in zip(before[:1] + before[2:], after[:1] + after[2:], strict=True):
        assert torch.equal(one, other)
    assert not before[2][:, :, 7].any()
    assert not before[3][:, :, 7].any()


def test_a_share_of_dropout_next_to_1_leaves_nothing():
    three, choice, upstream = given((1, 2, 40, 40, 32), dropout=1 - 1e-6)
    for one in found(three, choice, upstream):
        assert not one.any()


def test_large_scores_do_not_overflow():
    three, choice, upstream = given((1, 2, 50, 50, 64))
    three[0].mul_(100)
    for one, other in zip(found(three, choice, upstream), exact(three, choice, upstream), strict=True):
        assert torch.isfinite(one).all()
        assert float((one.float() - other).norm()) <= 0.02 * float(other.norm())


def test_any_number_of_threads_finds_the_same():
    three, choice, upstream = given((3, 4, 70, 70, 64), 5, 0.2)
    threads = torch.get_num_threads()
    alone = found(three, choice, upstream)
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert all(map(torch.equal, found(three, choice, upstream), alone))
    finally:
        torch.set_num_threads(threads)


def test_products_of_other_libraries_still_find_the_same():
    """OneDNN sets the tiles' shapes for a product and expects them to stay."""
    left, right = torch.randn(64, 96).bfloat16(), torch.randn(96, 80).bfloat16()
    before = left @ right
    three, choice, upstream = given(SHAPES["odd"])
    for _ in range(3):
        found(three, choice, upstream)
        assert torch.equal(left @ right, before)


def test_other_formats_widths_and_layouts_are_torchs():
    three = states(1, 2, 5, 32)
    assert can_attend(three)
    assert not can_attend(three.float())
    assert not can_attend(states(1, 2, 5, 24))
    assert not can_attend(three.transpose(-1, -2))
    assert not can_attend(three[:, :, :0])
