"""Captioning that is killed at random moments, and started again, leaves what it would have left undisturbed."""

from __future__ import annotations

import random

import pytest
from tests.volume.kill_many import OUTPUTS, Commands, kill_many


@pytest.fixture(scope="module")
def commands():
    commands = Commands()
    yield commands
    commands.close()


@pytest.mark.parametrize("output", OUTPUTS)
def test_killed_three_times(output, commands, tiny_checkpoint, tmp_path):
    """`python tests/volume/kill_many.py` does the same with 2,000 pictures and 50 runs."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    kill_many(
        commands,
        output,
        runs=1,
        kills=3,
        pictures=120,
        seed=seed,
        folder=tmp_path,
        model=str(tiny_checkpoint),
    )
