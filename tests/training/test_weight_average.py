"""The running mean of the weights: its value, and that nothing but evaluations and what is kept sees it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from leyenda.training.weight_average import TRAINED_WEIGHTS, WeightAverage


def model():
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    network.bias.requires_grad_(False)
    return network


def steps(network, average, first, last):
    """Weights behind each step, which a fixed chance changes."""
    seen = []
    for step in range(first, last + 1):
        with torch.no_grad():
            network.weight += torch.randn(2, 3, generator=torch.Generator().manual_seed(step))
        average.on_step_end(None, SimpleNamespace(global_step=step), None)
        seen.append(network.weight.detach().clone())
    return seen


def test_the_mean_forgets_what_was_before_the_first_step():
    network = model()
    average = WeightAverage(network, 0.9)
    seen = steps(network, average, 1, 200)
    # By hand: the first step whole, then steps of 1/10, 2/11, ... up to the share that stays.
    expected = torch.zeros(2, 3)
    for number, weights in enumerate(seen, 1):
        kept = min(0.9, (number - 1) / (number + 8))
        expected = kept * expected + (1 - kept) * weights
    bias = network.bias.clone()
    with average.in_place():
        torch.testing.assert_close(network.weight.detach(), expected)
        assert torch.equal(network.bias, bias)
    assert torch.equal(network.weight, seen[-1])


def test_an_error_inside_gives_the_weights_back():
    network = model()
    average = WeightAverage(network, 0.5)
    seen = steps(network, average, 1, 5)
    with pytest.raises(KeyboardInterrupt), average.in_place():
        raise KeyboardInterrupt
    assert torch.equal(network.weight, seen[-1])


def test_saved_and_loaded_it_goes_on_bit_equal(tmp_path):
    network = model()
    average = WeightAverage(network, 0.9)
    steps(network, average, 1, 20)
    average.save(tmp_path)
    with average.in_place():
        published = {name: weight.clone() for name, weight in network.state_dict().items()}
    steps(network, average, 21, 30)
    other = model()
    again = WeightAverage(other, 0.9)
    other.load_state_dict(published)
    again.load(tmp_path)
    steps(other, again, 21, 30)
    assert torch.equal(other.weight, network.weight)
    with average.in_place(), again.in_place():
        assert torch.equal(other.weight, network.weight)
    assert (tmp_path / TRAINED_WEIGHTS).is_file()
