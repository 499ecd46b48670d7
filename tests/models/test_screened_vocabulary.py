"""Logits whose likely words are exact, against the layer that they stand for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from leyenda.models.int8 import why_no_int8
from leyenda.models.screened_vocabulary import CANDIDATES, ScreenedVocabulary

pytestmark = pytest.mark.skipif(
    why_no_int8(torch.device("cpu")) is not None, reason="screening needs a CPU with 8-bit products"
)


@pytest.mark.parametrize("rows", [1, 3, 16, 48])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("spread", [0.02, 1.0])
def test_the_likely_words_are_exact_and_the_sum_over_all_is_near(rows, bias, spread):
    torch.manual_seed(rows)
    layer = nn.Linear(256, 5000, bias=bias)
    nn.init.normal_(layer.weight, std=spread / 16)
    states = nn.functional.layer_norm(torch.randn(rows, 256), (256,))
    with torch.inference_mode():
        exact, screened = layer(states), ScreenedVocabulary(layer)(states)
    assert screened.dtype == torch.float32
    best = exact.topk(CANDIDATES // 2, dim=1).indices
    torch.testing.assert_close(screened.gather(1, best), exact.gather(1, best), rtol=1e-5, atol=1e-5)
    assert torch.equal(screened.argmax(1), exact.argmax(1))
    torch.testing.assert_close(screened.logsumexp(1), exact.logsumexp(1), rtol=0, atol=2e-3)
    assert (screened - exact).std() < 0.02 * exact.std()


def test_states_with_a_few_great_numbers_keep_their_best_word():
    torch.manual_seed(0)
    layer = nn.Linear(768, 30_522)
    states = torch.randn(64, 768)
    states[:, :3] *= 30
    with torch.inference_mode():
        screened = ScreenedVocabulary(layer)
        assert torch.equal(screened(states).argmax(1), layer(states).argmax(1))
        assert torch.equal(
            torch.cat([screened(row) for row in states.split(1)]).argmax(1), layer(states).argmax(1)
        )


def test_a_vocabulary_smaller_than_the_candidates():
    layer, states = nn.Linear(8, 5), torch.randn(2, 8)
    with torch.inference_mode():
        torch.testing.assert_close(ScreenedVocabulary(layer)(states), layer(states))
