"""Memory does not grow with the number of inputs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.volume.conftest import draw

PROGRAM = """
import resource, sys
from leyenda.volume import caption_all
model, words, output, each = sys.argv[1:]
totals = caption_all(
    words.split(","), output, model=model, device="cpu", batch_size=16, max_length=2, duplicates=each
)
print(totals.captioned, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

FEW, MANY = 800, 8000


def peak(tiny_checkpoint, words: str, output: str, duplicates: str) -> int:
    """Kilobytes, at most."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tiny_checkpoint), words, output, duplicates],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    captioned, memory = done.stdout.split()
    assert int(captioned) == (FEW if "few" in words else MANY)
    return int(memory)


@pytest.mark.parametrize(("kind", "output"), [("folder", "out.jsonl"), ("table.csv", "out.parquet")])
def test_ten_times_the_inputs(kind, output, tiny_checkpoint, here):
    """The pictures are all the same, so that reading them and keeping account of them is nearly all the work."""
    picture = draw(here / "picture.png", 1, (8, 8))
    for name, number in (("few", FEW), ("many", MANY)):
        if kind == "folder":
            (here / f"{name} folder").mkdir()
            for one in range(number):
                os.link(picture, here / f"{name} folder" / f"{one:06}.png")
        else:
            (here / f"{name} {kind}").write_text("image\n" + "picture.png\n" * number)
    few = peak(tiny_checkpoint, f"few {kind}", f"few {output}", "bytes")
    many = peak(tiny_checkpoint, f"many {kind}", f"many {output}", "bytes")
    assert many < 1.1 * few, f"{few} kB for {FEW}, {many} kB for {MANY}"
