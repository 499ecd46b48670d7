"""Freed memory is kept where training asks for it, by whichever thread, and given back afterwards."""

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


THREADS = """
import resource, threading
import torch
from leyenda.heap import share_one_heap
from leyenda.models.memory import freed_memory_kept

PIECE = 40 << 20

def use():
    torch.empty(PIECE, dtype=torch.uint8).fill_(1)

def fetched(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        use()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / (PIECE // 4096)

def measure():
    kept = torch.empty(PIECE, dtype=torch.uint8)
    fetched(4)
    print(fetched(16))

share_one_heap()
with freed_memory_kept():
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
"""
"""What a thread had from the system page by page, in pieces of 40 MB of which it filled and freed 16, beside one."""


def test_threads_keep_freed_memory_too():
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2
    alone = THREADS.replace("share_one_heap()\nwith", "with")
    done = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 3, "is there still a need for one heap?"
