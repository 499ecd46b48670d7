"""Captioning that is killed at random moments, and started again, leaves what it would have left undisturbed."""

from __future__ import annotations

import random

import pytest
from tests.volume.kill_many import OUTPUTS, kill_many


@pytest.mark.parametrize("output", OUTPUTS)
def test_killed_three_times(output, tiny_checkpoint, tmp_path):
    """`python tests/volume/kill_many.py` does the same with 2,000 pictures and 50 runs."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    kill_many(output, runs=2, kills=3, pictures=150, seed=seed, folder=tmp_path, model=str(tiny_checkpoint))
