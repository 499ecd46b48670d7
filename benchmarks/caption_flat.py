"""`caption-flat`: a long input costs no more per image than a short one, and no more memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, added_memory, peak_memory, seconds_per_unit
from benchmarks.material import NEW_TOKENS, QUICK, Scale, write_model, write_pictures
from benchmarks.turns import Turns, Work


@dataclass(frozen=True)
class LongCaptioning:
    """What `leyenda caption` does with a list of files and `--output`.

    Args:
        checkpoint: what captions.
        pictures: files, gone through again and again.
        images: how many inputs.
        output: a folder for the lines.
    """

    checkpoint: Path
    pictures: Sequence[Path]
    images: int
    output: Path
    number_format: str = "fp32"

    @property
    def label(self) -> str:
        """How many images."""
        return f"leyenda caption --output, {self.images} images"

    def run(self, turns: Turns) -> None:
        self._caption(len(self.pictures))
        while True:
            turns.begin()
            self._caption(self.images)
            turns.end(Work(self.images))

    def _caption(self, images: int) -> None:
        from leyenda.volume import caption_all

        names = [str(self.pictures[number % len(self.pictures)]) for number in range(images)]
        totals = caption_all(
            names,
            self.output / f"{self.images}.jsonl",
            overwrite=True,
            duplicates="each",
            model=str(self.checkpoint),
            device="cpu",
            batch_size=16,
            max_length=NEW_TOKENS,
        )
        assert totals.captioned == images, totals.failures[:3]


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    few, many = scale.of(1000, 40), scale.of(20_000, 200)
    checkpoint = write_model(folder / "model", QUICK)
    pictures = write_pictures(folder / "pictures", 40, side=160)
    output = folder / "lines"
    output.mkdir()
    close = Target(at_most=3.0 if scale.quick else 1.05)
    return Benchmark(
        name="caption-flat",
        work=f"Caption {few} and {many} picture files with a tiny model, and write the lines to a file.",
        unit="images",
        claims=[
            Claim(f"seconds per image, {many} over {few}", seconds_per_unit, "many", "few", close),
            Claim(f"peak memory of the process, {many} over {few}", peak_memory, "many", "few", close),
            Claim(
                f"memory above the idle process's, {many} over {few}", added_memory, "many", "few", Target()
            ),
        ],
        sides={
            "few": LongCaptioning(checkpoint, pictures, few, output),
            "many": LongCaptioning(checkpoint, pictures, many, output),
        },
        rounds=scale.of(3, 2),
    )
