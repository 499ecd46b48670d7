"""`caption-ray`: captioning 2,000 pictures with a Ray cluster of this machine, against the plain engine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Figure, Target, seconds_per_unit
from benchmarks.material import Scale, write_pictures
from benchmarks.turns import Turns, Work

BATCH = 16


@dataclass(frozen=True)
class VolumeCaptioning:
    """What `leyenda caption --output FILE.jsonl` does, from making the engine to the finished file.

    Args:
        engine: `plain` or `ray`.
        pictures: files, captioned once per turn.
        output: the file.
        cores: that the whole side may use; torch computes with as many threads, divided among the workers.
        workers: of `ray`.
    """

    engine: str
    pictures: Sequence[Path]
    output: Path
    cores: int
    workers: int | None = None
    number_format: str = "fp32"

    @property
    def label(self) -> str:
        """Which engine, and how many models."""
        models = f", {self.workers} workers" if self.workers else ""
        return f"--engine {self.engine}{models}, batch {BATCH}, {self.cores} cores"

    def run(self, turns: Turns) -> None:
        os.environ["OMP_NUM_THREADS"] = str(self.cores)
        self._caption()
        while True:
            turns.begin()
            first, last = self._caption()
            turns.end(Work(len(self.pictures), notes={"first_group_s": first, "going_s": last - first}))

    def _caption(self) -> tuple[float, float]:
        """Seconds until the first group was on the disk, and until the last was."""
        from leyenda.volume import caption_all
        from leyenda.volume.entry import Entry

        self.output.unlink(missing_ok=True)
        started = time.perf_counter()
        times = {}

        def watch(entry: Entry) -> None:
            times["last"] = time.perf_counter() - started
            times.setdefault("first", times["last"])

        options = {} if self.workers is None else {"workers": self.workers}
        totals = caption_all(
            [str(path) for path in self.pictures],
            self.output,
            watch=watch,
            engine=self.engine,
            model="demo",
            device="cpu",
            batch_size=BATCH,
            duplicates="each",
            **options,
        )
        assert totals.captioned == len(self.pictures), totals
        return times["first"], times["last"]


def going(work: Work) -> float:
    """Seconds for a picture once the first group was written: without the start of anything."""
    return float(work.notes["going_s"]) / work.units


def same_captions(folder: Path) -> None:
    """All sides wrote the same words.

    Raises:
        SystemExit: they did not.
    """
    said = {
        path.name: [json.loads(line)["caption"] for line in path.read_text().splitlines()]
        for path in folder.glob("*.jsonl")
    }
    if any(captions != said["plain.jsonl"] for captions in said.values()):
        raise SystemExit("The engines do not write the same captions.")


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    pictures = write_pictures(folder / "pictures", scale.of(2000, 64))
    cores = len(os.sched_getaffinity(0))
    most = Target(at_most=100.0 if scale.quick else 1.15)

    def claim(what: str, figure: Figure, side: str, target: Target) -> Claim:
        return Claim(what, figure, side, "plain", target)

    return Benchmark(
        name="caption-ray",
        work=f"Caption {len(pictures)} picture files with the embedded model into a JSONL file.",
        unit="images",
        claims=[
            claim(
                "seconds per image over the plain engine's, once both run, 2 workers", going, "ray_2", most
            ),
            claim("the same with 1 worker", going, "ray_1", Target()),
            claim(
                "all seconds, the start of Ray and its end included, 2 workers",
                seconds_per_unit,
                "ray_2",
                Target(),
            ),
            claim("the same with 1 worker", seconds_per_unit, "ray_1", Target()),
        ],
        sides={
            "plain": VolumeCaptioning("plain", pictures, folder / "plain.jsonl", cores),
            "ray_2": VolumeCaptioning("ray", pictures, folder / "ray-2.jsonl", cores, 2),
            "ray_1": VolumeCaptioning("ray", pictures, folder / "ray-1.jsonl", cores, 1),
        },
        rounds=scale.of(3, 1),
        check=lambda turns: same_captions(folder),
    )
