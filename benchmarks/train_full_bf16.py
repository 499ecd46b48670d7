"""`train-full-bf16`: full fine-tuning against the guide's recipe under bf16 autocast."""

from __future__ import annotations

from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale, write_data, write_model
from benchmarks.training_sides import GuideTraining, OwnTraining


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    data = write_data(folder / "data", scale.of(64, 16))
    return Benchmark(
        name="train-full-bf16",
        work="Fine-tune all of GIT-base's weights in bf16, one caption of about 12 tokens per image.",
        unit="images",
        claims=[
            Claim("images/s over the guide's recipe in bf16", rate, "leyenda", "guide", Target(at_least=5)),
        ],
        sides={
            "guide": GuideTraining(checkpoint, data, "bf16"),
            "leyenda": OwnTraining(
                checkpoint, data, "leyenda, bf16, batch 32", precision="bf16", batch=scale.of(32, 8)
            ),
        },
        rounds=scale.of(3, 2),
    )
