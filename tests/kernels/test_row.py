"""Products of a single row against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leyenda.kernels.library import library
from leyenda.kernels.row import (
    RowProduct,
    can_multiply_rows,
    can_multiply_whole_row,
    multiply_whole_row,
)

pytestmark = pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")

AFTER = {"none": lambda sums: sums, "gelu": functional.gelu, "swish": functional.silu}


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("activation", AFTER)
@pytest.mark.parametrize(("rows", "width"), [(1, 32), (3, 64), (16, 32), (37, 96), (2304, 768)])
def test_products_are_torchs_rounded_once(rows, width, activation, biased):
    torch.manual_seed(rows)
    weight, states = torch.randn(rows, width).bfloat16(), torch.randn(1, 1, width).bfloat16()
    bias = torch.randn(rows).bfloat16() if biased else None
    assert can_multiply_rows(weight)
    found = RowProduct(weight, bias, activation)(states)
    sums = functional.linear(states.double(), weight.double(), None if bias is None else bias.double())
    exact = AFTER[activation](sums).float()
    assert found.shape == (1, 1, rows)
    assert found.dtype == torch.bfloat16
    assert bool(((found.float() - exact).abs() <= exact.abs() * 2**-8 + 1e-4).all())


@pytest.mark.parametrize(("rows", "width"), [(1, 64), (5, 128), (1000, 768)])
def test_whole_numbers_are_exact(rows, width):
    torch.manual_seed(rows)
    weight = torch.randint(-128, 128, (rows, width), dtype=torch.int8)
    states = torch.randint(0, 256, (1, width), dtype=torch.uint8)
    weight[0], states[0, :2] = -128, torch.tensor([0, 255])
    scale = torch.rand(rows)
    assert can_multiply_whole_row(weight)
    exact = (states.long() - 128) @ weight.long().t()
    assert torch.equal(multiply_whole_row(weight, scale, states), exact.float() * scale)


def test_any_number_of_threads_finds_the_same():
    weight, states = torch.randn(333, 64).bfloat16(), torch.randn(1, 64).bfloat16()
    threads, product = torch.get_num_threads(), RowProduct(weight, None, "gelu")
    alone = product(states)
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert torch.equal(product(states), alone)
    finally:
        torch.set_num_threads(threads)


def test_other_formats_and_widths_are_torchs():
    assert not can_multiply_rows(torch.zeros(3, 32))
    assert not can_multiply_rows(torch.zeros(3, 40).bfloat16())
    assert not can_multiply_whole_row(torch.zeros(3, 32, dtype=torch.int8))
