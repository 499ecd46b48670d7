"""Freed memory is kept where training asks for it, and only there."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import resource, torch
from leyenda.models.memory import freed_memory_kept

def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(16):
        torch.empty(48 << 20, dtype=torch.uint8).fill_(1)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / ((48 << 20) // 4096)

with freed_memory_kept():
    inside = fetched()
print(inside, fetched())
"""
"""How many of 16 pieces of 48 MB, filled and freed one after the other, the system gave page by page."""


def test_freed_memory_is_kept_inside_the_block_alone():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    inside, outside = map(float, done.stdout.split())
    assert inside < 4, "the first have to come from somewhere"
    assert outside > 15
