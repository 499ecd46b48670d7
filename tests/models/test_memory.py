"""Freed memory is kept where training asks for it, and given back afterwards."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import psutil, resource, torch
from leyenda.models.memory import freed_memory_kept

PIECE = 48 << 20

def use():
    torch.empty(PIECE, dtype=torch.uint8).fill_(1)

def held():
    return psutil.Process().memory_info().rss / PIECE

use()
start = held()
with freed_memory_kept():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(16):
        use()
    fetched = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / (PIECE // 4096)
    inside = held() - start
print(fetched, inside, held() - start)
"""
"""In pieces of 48 MB: what 16 of them, filled and freed one after the other, had from the system page by page; what
the process then held; and what it held behind the block."""


def test_freed_memory_is_kept_inside_the_block_alone():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    fetched, inside, behind = map(float, done.stdout.split())
    assert fetched < 4, "the first have to come from somewhere"
    assert inside > 0.9
    assert behind < 0.2
