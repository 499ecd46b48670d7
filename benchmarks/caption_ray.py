"""`caption-ray`: captioning 2,000 pictures with a Ray cluster of this machine, against the plain engine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Figure, Target, seconds_per_unit
from benchmarks.material import NEW_TOKENS, Scale, write_model, write_pictures
from benchmarks.turns import Turns, Work

BATCH = 16

_TO_WARM_UP = 64


@dataclass(frozen=True)
class VolumeCaptioning:
    """What `leyenda caption --output FILE.jsonl` does, from making the engine to the finished file.

    Args:
        engine: `plain` or `ray`.
        model: what captions: a folder, or `demo`.
        pictures: files, captioned once per turn.
        output: the file.
        cores: that the whole side may use; torch computes with as many threads, divided among the workers.
        workers: of `ray`.
        max_length: most tokens of a caption.
    """

    engine: str
    model: str
    pictures: Sequence[Path]
    output: Path
    cores: int
    workers: int | None = None
    max_length: int = 50
    number_format: str = "fp32"

    @property
    def label(self) -> str:
        """Which engine, and how many models."""
        models = f", {self.workers} workers" if self.workers else ""
        model = self.model if self.model == "demo" else "GIT-base"
        return f"--engine {self.engine}{models}, {model}, batch {BATCH}, {self.cores} cores"

    def run(self, turns: Turns) -> None:
        os.environ["OMP_NUM_THREADS"] = str(self.cores)
        self._caption(self.pictures[:_TO_WARM_UP])
        while True:
            turns.begin()
            first, last = self._caption(self.pictures)
            turns.end(Work(len(self.pictures), notes={"first_group_s": first, "going_s": last - first}))

    def _caption(self, pictures: Sequence[Path]) -> tuple[float, float]:
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
            [str(path) for path in pictures],
            self.output,
            watch=watch,
            engine=self.engine,
            model=self.model,
            max_length=self.max_length,
            device="cpu",
            batch_size=BATCH,
            duplicates="each",
            **options,
        )
        assert totals.captioned == len(pictures), totals
        return times["first"], times["last"]


def going(work: Work) -> float:
    """Seconds for a picture once the first group was written: without the start of anything."""
    return float(work.notes["going_s"]) / work.units


def same_captions(folder: Path) -> None:
    """Both engines wrote the same words with the same model.

    Raises:
        SystemExit: they did not.
    """
    for model in MODELS:
        plain, ray = (
            [
                json.loads(line)["caption"]
                for line in (folder / f"{engine}-{model}.jsonl").read_text().splitlines()
            ]
            for engine in ("plain", "ray")
        )
        if plain != ray:
            differing = sum(one != other for one, other in zip(plain, ray, strict=True))
            raise SystemExit(f"The engines do not write the same captions: {differing} differ ({model}).")


MODELS = ("base", "demo")
WORKERS = 2


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    pictures = write_pictures(folder / "pictures", scale.of(2000, 64))
    checkpoints = {"base": str(write_model(folder / "model", scale)), "demo": "demo"}
    cores = len(os.sched_getaffinity(0))
    most = Target(at_most=100.0 if scale.quick else 1.15)

    def side(engine: str, model: str) -> VolumeCaptioning:
        return VolumeCaptioning(
            engine,
            checkpoints[model],
            pictures,
            folder / f"{engine}-{model}.jsonl",
            cores,
            WORKERS if engine == "ray" else None,
            NEW_TOKENS if model == "base" else 50,
        )

    def claim(what: str, figure: Figure, model: str, target: Target) -> Claim:
        return Claim(what, figure, f"ray_{model}", f"plain_{model}", target)

    return Benchmark(
        name="caption-ray",
        work=f"Caption {len(pictures)} picture files into a JSONL file, with Ray on this machine and without.",
        unit="images",
        claims=[
            claim(
                "all seconds over the plain engine's, the start of Ray and its end included, GIT-base, 2 workers",
                seconds_per_unit,
                "base",
                most,
            ),
            claim("the same once both run", going, "base", Target()),
            claim("all seconds, embedded model (2.3 million weights)", seconds_per_unit, "demo", Target()),
            claim("the same once both run, embedded model", going, "demo", Target()),
        ],
        sides={f"{engine}_{model}": side(engine, model) for model in MODELS for engine in ("plain", "ray")},
        rounds=scale.of(2, 1),
        check=lambda turns: same_captions(folder),
    )
