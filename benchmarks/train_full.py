"""`train-full`: full fine-tuning against the guide's recipe in fp32."""

from __future__ import annotations

from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale, write_data, write_model
from benchmarks.training_sides import GuideTraining, OwnTraining


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    data = write_data(folder / "data", scale.of(64, 16))
    own = "fp32" if scale.quick else "bf16"
    return Benchmark(
        name="train-full",
        work="Fine-tune all of GIT-base's weights, one caption of about 12 tokens per image.",
        unit="images",
        claims=[
            Claim(
                "images/s over the guide's recipe in fp32",
                rate,
                "leyenda",
                "guide",
                Target(at_least=8, aim=10),
            ),
        ],
        sides={
            # Twice the batch of the guide's in `train-frozen`: its images per second hardly depend on it.
            "guide": GuideTraining(checkpoint, data, batch=8),
            "leyenda": OwnTraining(
                checkpoint, data, f"leyenda, auto precision ({own}), batch 32", own, batch=scale.of(32, 8)
            ),
        },
        rounds=scale.of(3, 2),
    )
