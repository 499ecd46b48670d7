"""`caption-greedy`: captioning against `transformers`' `generate` in fp32."""

from __future__ import annotations

from pathlib import Path

from benchmarks.captioning_sides import same_captions, sides
from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale, write_model, write_pictures


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    checkpoint = write_model(folder / "model", scale)
    pictures = write_pictures(folder / "pictures", scale.of(64, 6))
    auto = "fp32" if scale.quick else "bf16"
    return Benchmark(
        name="caption-greedy",
        work="Caption pictures greedily, 16 at a time, 12 new tokens each, from file to text.",
        unit="images",
        claims=[
            Claim("images/s over generate in fp32", rate, "leyenda", "generate", Target(at_least=4, aim=6)),
            Claim("images/s in int8 over generate in fp32", rate, "leyenda_int8", "generate", Target()),
            Claim("images/s in fp32 over generate in fp32", rate, "leyenda_fp32", "generate", Target()),
        ],
        sides=sides(checkpoint, pictures, scale.of(16, 3), 1, auto=auto, others=["int8"]),
        rounds=scale.of(4, 2),
        check=same_captions,
    )
