"""Training, greedy captioning and captioning with beams on one NVIDIA GPU, against the guide's recipe and `generate`.

Needs torch, transformers with accelerate, Pillow and this source tree, nothing else: `python benchmarks/gpu.py`.
`--tiny` runs a tiny model on the CPU, to see that everything works; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
for place in (ROOT, ROOT / "src"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from benchmarks.captioning_sides import GuideCaptioning, OwnCaptioning  # noqa: E402 - found only now
from benchmarks.comparison import (  # noqa: E402
    MATRIX_PRODUCTS,
    RESULTS,
    Benchmark,
    Claim,
    Target,
    flop_rate,
    measure,
    rate,
    say,
)
from benchmarks.material import (  # noqa: E402
    FULL,
    NEW_TOKENS,
    QUICK,
    Scale,
    read_data,
    write_data,
    write_model,
    write_pictures,
)
from benchmarks.matrix_product import MatrixProducts  # noqa: E402
from benchmarks.training_sides import GuideTraining, Seen, wait_for  # noqa: E402

if TYPE_CHECKING:
    from benchmarks.turns import Turns

COMMAND = "python benchmarks/gpu.py"


@dataclass(frozen=True)
class PlainTraining:
    """leyenda's fast GIT in a plain training loop: bf16 autocast, fused AdamW, pictures kept as bytes.

    Args:
        checkpoint: what is fine-tuned.
        data: as `material.write_data` wrote it.
        batch: images per optimizer step, all at once.
        steps: optimizer steps per turn.
        device: `cpu` or `cuda`.
        compiled: whether the two towers go through `torch.compile`; the seconds of the first step are in the notes.
    """

    checkpoint: Path
    data: Path
    batch: int
    steps: int
    device: str
    compiled: bool = False
    number_format: str = "bf16"

    @property
    def label(self) -> str:
        """With or without compilation."""
        return f"leyenda, bf16, batch {self.batch}{', compiled' if self.compiled else ''}"

    def run(self, turns: Turns) -> None:
        import torch

        from leyenda import models
        from leyenda.training.compilation import compile_network

        captioner = models.load(self.checkpoint, device=self.device, precision="fp32")
        network = captioner.model.train()
        seen = Seen(network.config, frozen=False)
        optimizer = torch.optim.AdamW(network.parameters(), lr=5e-5, fused=True)
        if self.compiled:
            # A CPU only shows that the network can be traced: generating code for it takes a minute.
            backend = "inductor" if self.device == "cuda" else "eager"
            compile_network(network, self.batch, backend)
        batches = self._batches(captioner)

        def step() -> None:
            inputs = next(batches)
            seen.look(network, (), inputs)
            with torch.autocast(self.device, torch.bfloat16):
                loss = network(**inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

        started = time.perf_counter()
        step()
        wait_for(self.device)
        first_step = time.perf_counter() - started
        step()
        while True:
            turns.begin()
            seen.forget()
            for _ in range(self.steps):
                step()
            wait_for(self.device)
            turns.end(seen.work({"first_step_seconds": round(first_step, 2)}))

    def _batches(self, captioner: Any) -> Iterator[dict[str, Any]]:
        """Inputs of a step on the device, for ever; every file is decoded once."""
        import torch

        pairs = list(read_data(self.data))
        pictures = torch.stack([captioner.open(path) for path, _ in pairs])
        longest = captioner.max_caption_tokens
        family = captioner.family
        ids = [family.caption_token_ids(captioner.tokenizer, caption, longest) for _, caption in pairs]
        place = 0
        while True:
            rows = [(place + row) % len(pairs) for row in range(self.batch)]
            place += self.batch
            pixel_values = captioner.normalized(pictures[rows].to(self.device))
            inputs = family.training_inputs(
                captioner.model, {"pixel_values": pixel_values}, [[ids[row]] for row in rows]
            )
            yield {name: part.to(self.device) for name, part in inputs.items()}


def training(folder: Path, checkpoint: Path, scale: Scale, device: str) -> Benchmark:
    """The guide's recipe with its fp16 and its batch of 2 x 32 (bf16 on a CPU, which has no fp16 training)."""
    data = write_data(folder / "data", scale.of(256, 8))
    batch, steps = scale.of(32, 4), scale.of(4, 1)
    half = "fp16" if device == "cuda" else "bf16"
    return Benchmark(
        name="gpu-train",
        work="Fine-tune all of GIT-base's weights on a GPU, one caption of about 12 tokens per image.",
        unit="images",
        claims=[
            Claim("images/s over the guide's recipe", rate, "leyenda", "guide", Target()),
            Claim(
                "FLOP/s over the bf16 matrix-product rate", flop_rate, "leyenda", MATRIX_PRODUCTS, Target()
            ),
        ],
        sides={
            MATRIX_PRODUCTS: MatrixProducts("bf16", 16 if scale.quick else 1, device),
            "guide": GuideTraining(checkpoint, data, half, batch, steps, accumulation=2, device=device),
            # leyenda takes a step's pictures together where memory holds them.
            "leyenda": PlainTraining(checkpoint, data, 2 * batch, 8 * steps, device),
        },
        rounds=scale.of(5, 1),
        device=device,
        command=COMMAND,
    )


def compilation(folder: Path, checkpoint: Path, scale: Scale, device: str) -> Benchmark:
    """What `torch.compile` adds to leyenda's training, and what its warm-up costs."""
    data = write_data(folder / "data", scale.of(256, 8))
    batch, steps = scale.of(64, 8), scale.of(32, 1)
    return Benchmark(
        name="gpu-train-compiled",
        work="The same training, with and without torch.compile.",
        unit="images",
        claims=[
            Claim("images/s compiled over not compiled", rate, "compiled", "leyenda", Target()),
            Claim(
                "FLOP/s over the bf16 matrix-product rate", flop_rate, "compiled", MATRIX_PRODUCTS, Target()
            ),
        ],
        sides={
            MATRIX_PRODUCTS: MatrixProducts("bf16", 16 if scale.quick else 1, device),
            "leyenda": PlainTraining(checkpoint, data, batch, steps, device),
            "compiled": PlainTraining(checkpoint, data, batch, steps, device, compiled=True),
        },
        rounds=scale.of(3, 1),
        device=device,
        command=COMMAND,
    )


def captioning(folder: Path, checkpoint: Path, scale: Scale, device: str, name: str, beams: int) -> Benchmark:
    """`generate` in fp32, as the guide has it, and in bf16."""
    pictures = write_pictures(folder / "pictures", scale.of(1024, 4))
    batch, larger = scale.of(64, 2), scale.of(256, 4)

    def guide(number_format: str) -> GuideCaptioning:
        return GuideCaptioning(checkpoint, pictures[: scale.of(256, 4)], batch, beams, number_format, device)

    def own(precision: str, pictures_at_once: int) -> OwnCaptioning:
        return OwnCaptioning(checkpoint, pictures, pictures_at_once, beams, precision, precision, device)

    return Benchmark(
        name=name,
        work=(
            f"Caption pictures on a GPU, {beams} beams, {batch} at a time, {NEW_TOKENS} new tokens, from file to ids; "
            f"leyenda left alone takes {larger} at a time."
        ),
        unit="images",
        claims=[
            Claim("images/s over generate in fp32", rate, "leyenda", "generate", Target()),
            Claim("images/s left alone over generate in fp32", rate, "leyenda_alone", "generate", Target()),
            Claim("images/s over generate in bf16", rate, "leyenda", "generate_bf16", Target()),
            Claim("images/s in fp32 over generate in fp32", rate, "leyenda_fp32", "generate", Target()),
        ],
        sides={
            "generate": guide("fp32"),
            "generate_bf16": guide("bf16"),
            "leyenda": own("bf16", batch),
            "leyenda_alone": own("bf16", larger),
            "leyenda_fp32": own("fp32", batch),
        },
        rounds=scale.of(3, 1),
        device=device,
        command=COMMAND,
    )


def main(words: Sequence[str]) -> int:
    """Run all four."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a tiny model on the CPU: see that it works")
    parser.add_argument("--results", type=Path, help="folder of the JSON files (default: benchmarks/results)")
    arguments = parser.parse_args(words)
    if arguments.tiny and arguments.results is None:
        parser.error("--tiny measures nothing worth keeping: say with --results where to write it")
    device, scale = ("cpu", QUICK) if arguments.tiny else ("cuda", FULL)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        checkpoint = write_model(folder / "model", scale)
        benchmarks = (
            training(folder / "train", checkpoint, scale, device),
            captioning(folder / "greedy", checkpoint, scale, device, "gpu-caption-greedy", 1),
            captioning(folder / "beams", checkpoint, scale, device, "gpu-caption-beams", 3),
            compilation(folder / "compiled", checkpoint, scale, device),
        )
        for benchmark in benchmarks:
            say(f"\n== {benchmark.name}")
            measure(
                benchmark,
                quick=scale.quick,
                results=arguments.results or RESULTS,
                in_threads=arguments.tiny,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
