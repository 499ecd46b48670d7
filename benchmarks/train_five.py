"""`train-five`: five captions of an image in one pass over it, against one caption per step."""

from __future__ import annotations

from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale, write_data, write_model
from benchmarks.training_sides import OwnTraining


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    data = write_data(folder / "data", scale.of(64, 16), captions_each=5)
    own = "fp32" if scale.quick else "bf16"
    batch = scale.of(32, 8)
    return Benchmark(
        name="train-five",
        work="Fine-tune GIT-base on images with five captions each.",
        unit="captions",
        claims=[
            Claim("captions/s over one caption per step", rate, "all", "one", Target(at_least=3.5)),
        ],
        sides={
            "one": OwnTraining(checkpoint, data, f"leyenda, one caption per step, {own}", own, batch=batch),
            "all": OwnTraining(
                checkpoint,
                data,
                f"leyenda, all five captions per step, {own}",
                own,
                batch=batch,
                captions="all",
            ),
        },
        rounds=scale.of(3, 2),
        check=_five_each,
    )


def _five_each(turns: object) -> None:
    assert isinstance(turns, dict)
    for work in turns["all"]:
        assert work.units == 5 * work.notes["images"], (
            f"{work.units} captions of {work.notes['images']} images"
        )
