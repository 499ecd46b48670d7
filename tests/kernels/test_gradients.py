"""Gradients added up by the kernel against torch's own sums."""

from __future__ import annotations

import pytest
import torch

from leyenda.kernels.gradients import add_up, can_add_up
from leyenda.kernels.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")


def gradient(shape, turned):
    if not turned:
        return torch.randn(shape).bfloat16()
    room = torch.randn(shape[1] + 1, shape[0] + 3).bfloat16()  # as a product leaves it, in a larger one
    return room[: shape[1], : shape[0]].t()


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize(
    "turned", [(False,), (True,), (False, False), (True, True), (False, True), (True,) * 3]
)
@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (5, 70), (70, 5), (33, 129), (768, 3072)])
def test_sums_are_torchs(shape, turned, more):
    parts = [gradient(shape, one) for one in turned]
    sums = torch.randn(shape)
    expected = sum(one.float() for one in parts) * 1.702 + (sums if more else 0)
    assert can_add_up(sums, parts)
    squares = add_up(sums, parts, 1.702, more)
    assert torch.allclose(sums, expected, rtol=1e-6, atol=1e-6)
    assert squares == pytest.approx(expected.double().square().sum().item(), rel=1e-5)


def test_any_number_of_threads_gives_the_same_bits():
    parts = [gradient((770, 300), True), gradient((770, 300), False)]
    before = torch.get_num_threads()

    def added():
        sums = torch.empty(770, 300)
        return add_up(sums, parts, 0.3, False), sums

    squares, sums = added()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            again, others = added()
            assert again == squares
            assert torch.equal(others, sums)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("width", [1, 15, 16, 1000])
def test_sums_of_biases_are_torchs(width):
    parts = [torch.randn(width).bfloat16() for _ in range(2)]
    sums = torch.empty(width)
    add_up(sums, parts, 1.0, False)
    assert torch.equal(sums, parts[0].float() + parts[1].float())


def test_what_lies_otherwise_is_torchs():
    sums, found = torch.zeros(4, 6), torch.zeros(4, 6).bfloat16()
    assert can_add_up(sums, [found])
    assert not can_add_up(sums, [found, found.float()])
    assert not can_add_up(sums.t(), [found.t()])
    assert not can_add_up(sums, [torch.zeros(8, 12).bfloat16()[::2, ::2]])
    assert not can_add_up(sums, [found] * 9)
    assert not can_add_up(torch.zeros(2, 2, 6), [torch.zeros(2, 2, 6).bfloat16()])
