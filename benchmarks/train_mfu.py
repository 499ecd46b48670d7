"""`train-mfu`: what full fine-tuning achieves of the matrix-product rate that the machine shows in the same run."""

from __future__ import annotations

from pathlib import Path

from benchmarks.comparison import MATRIX_PRODUCTS, Benchmark, Claim, Target, flop_rate
from benchmarks.material import Scale, write_data, write_model
from benchmarks.matrix_product import MatrixProducts
from benchmarks.training_sides import OwnTraining


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    data = write_data(folder / "data", scale.of(64, 16))
    return Benchmark(
        name="train-mfu",
        work="Fine-tune all of GIT-base's weights in bf16, batch 32; only operations that are needed count.",
        unit="images",
        claims=[
            Claim(
                "needed FLOP/s over the bf16 matrix-product rate",
                flop_rate,
                "leyenda",
                MATRIX_PRODUCTS,
                Target(at_least=0.65),
            ),
        ],
        sides={
            MATRIX_PRODUCTS: MatrixProducts("bf16", scale=16 if scale.quick else 1),
            "leyenda": OwnTraining(
                checkpoint, data, "leyenda, bf16, batch 32", precision="bf16", batch=scale.of(32, 8)
            ),
        },
        rounds=scale.of(7, 2),
    )
