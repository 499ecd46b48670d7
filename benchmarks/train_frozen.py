"""`train-frozen`: fine-tuning behind a frozen image encoder whose outputs are cached, against the guide's recipe."""

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
        name="train-frozen",
        work="Fine-tune GIT-base behind its frozen image encoder, in an epoch after the one that fills the cache; "
        "the guide's recipe knows no freezing and trains everything.",
        unit="images",
        claims=[
            Claim(
                "images/s over the guide's recipe in fp32",
                rate,
                "leyenda",
                "guide",
                Target(at_least=20, aim=30),
            ),
        ],
        sides={
            "guide": GuideTraining(checkpoint, data),
            "leyenda": OwnTraining(
                checkpoint,
                data,
                f"leyenda, --freeze image_encoder, {own}, batch 32",
                own,
                batch=scale.of(32, 8),
                steps=scale.of(2, 2),
                frozen=True,
            ),
        },
        rounds=scale.of(3, 2),
    )
