"""The figures that docs/scale.md plans with, measured here: `python -m benchmarks.scale_figures`.

One core, one thread; takes about a minute. Pictures are JPEG drawings of 480 pixels a side.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import say
from benchmarks.machine import machine
from benchmarks.material import FULL, NEW_TOKENS, QUICK, write_model, write_pictures

BATCH = 16
FEW = 8
"""Pictures for the large model."""


def pace(checkpoint: Path | str, pictures: Sequence[Path], precision: str = "auto", **options: int) -> float:
    """Pictures/s of one thread, from files to captions, once the model is loaded and warm."""
    import torch

    from leyenda import Captioner

    torch.set_num_threads(1)
    captioner = Captioner.from_pretrained(
        checkpoint, device="cpu", precision=precision, batch_size=BATCH, **options
    )
    captioner(pictures[:2])
    started = time.perf_counter()
    captioner(pictures)
    return len(pictures) / (time.perf_counter() - started)


def journal(folder: Path, groups: int) -> tuple[float, float]:
    """Bytes a picture in a journal, and pictures/s that it takes in groups of a batch, each on the disk at once."""
    from leyenda.volume.entry import Entry
    from leyenda.volume.journal import Journal

    kept = Journal(folder / "journal", {})
    start, started = kept.size, time.perf_counter()
    for group in range(groups):
        names = (f"photos/{group:06}/{number:09}.jpg" for number in range(BATCH))
        text = "a red dog with a hat runs on the grass near a house"
        kept.commit([Entry(name, text, 0.412903, digest="0" * 32) for name in names], sync=True)
    seconds = time.perf_counter() - started
    size = kept.size - start
    kept.close()
    return size / (groups * BATCH), groups * BATCH / seconds


def main(words: Sequence[str]) -> int:
    """Print them; `--quick` with a tiny model shows that it works, and nothing else."""
    quick = "--quick" in words
    scale = QUICK if quick else FULL
    about = machine()
    say(f"{about['processor']}, one of {about['cores']} cores")
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        pictures = write_pictures(folder / "pictures", scale.of(320, BATCH))
        say(f"picture file: {sum(path.stat().st_size for path in pictures) / len(pictures):,.0f} bytes")
        say(f"demo: {pace('demo', pictures):.3g} pictures/s")
        checkpoint = write_model(folder / "model", scale)
        for precision in ("fp32", "bf16", "int8"):
            found = pace(checkpoint, pictures[:FEW], precision, max_length=NEW_TOKENS)
            say(f"{scale.model} architecture, random weights, {precision}: {found:.3g} pictures/s")
        size, rate = journal(folder, scale.of(500, 20))
        say(f"journal: {size:.0f} bytes a picture, {rate:,.0f} pictures/s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
