"""`evaluate-memory`: peak memory of an evaluation, above the loaded model's, against the guide's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison import Benchmark, Claim, Target, added_memory
from benchmarks.guide_recipe import guide_trainer
from benchmarks.material import NEW_TOKENS, Scale, read_data, write_data, write_model
from benchmarks.turns import Turns, Work

_LOGIT_BYTES = 4
_GUIDE_COPIES = 2.2
"""The guide's evaluation holds all logits, and for a moment a second time while it appends a batch to them."""


@dataclass(frozen=True)
class GuideEvaluation:
    """The guide's `trainer.evaluate()`: logits of every position of every image are kept, then compared.

    Args:
        checkpoint: what is evaluated.
        data: as `material.write_data` wrote it.
        images: how many of them.
        batch: images at a time. The guide's 32 would need still more memory.
    """

    checkpoint: Path
    data: Path
    images: int
    batch: int = 4
    number_format: str = "fp32"

    @property
    def label(self) -> str:
        """How many images."""
        return f"the guide's evaluation, {self.images} images"

    def run(self, turns: Turns) -> None:
        pairs = list(read_data(self.data))[: self.images]
        with tempfile.TemporaryDirectory() as output:
            trainer = guide_trainer(
                self.checkpoint,
                [picture for picture, _ in pairs],
                [caption for _, caption in pairs],
                Path(output),
                per_device_eval_batch_size=self.batch,
                use_cpu=True,
                disable_tqdm=True,
            )
            _read_weights(trainer.model)
            turns.begin()
            trainer.evaluate()
            turns.end(Work(len(pairs)))
            turns.begin()


@dataclass(frozen=True)
class OwnEvaluation:
    """`leyenda.evaluate`: a caption is generated for every image and scored against all references.

    Args:
        checkpoint: what is evaluated.
        data: as `material.write_data` wrote it.
        images: how many `data` holds.
    """

    checkpoint: Path
    data: Path
    images: int
    number_format: str = "bf16"

    @property
    def label(self) -> str:
        """How many images."""
        return f"leyenda evaluate, {self.images} images"

    def run(self, turns: Turns) -> None:
        from leyenda import evaluate, models

        model = models.load(self.checkpoint, device="cpu")
        _read_weights(model.model)
        turns.begin()
        result = evaluate(model, self.data, split="all", max_length=NEW_TOKENS)
        assert len(result.predictions) == self.images, result.skipped
        turns.end(Work(len(result.predictions)))
        turns.begin()


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    few, many = scale.of(100, 6), scale.of(1000, 24)
    checkpoint = write_model(folder / "model", scale)
    _check_memory(few * (scale.padding + 197) * scale.vocabulary * _LOGIT_BYTES * _GUIDE_COPIES)
    little, much = write_data(folder / "little", few), write_data(folder / "much", many)
    return Benchmark(
        name="evaluate-memory",
        work=f"Evaluate GIT-base on {few} and {many} images; memory is counted above the loaded model's.",
        unit="images",
        claims=[
            Claim(
                f"memory for {many} images over the guide's for {few}",
                added_memory,
                "leyenda_many",
                "guide",
                Target(at_most=0.1),
            ),
            Claim(
                f"memory for {many} images over that for {few}",
                added_memory,
                "leyenda_many",
                "leyenda_few",
                Target(at_most=1.5 if scale.quick else 1.05, at_least=0.5 if scale.quick else 0.95),
            ),
        ],
        sides={
            "leyenda_few": OwnEvaluation(checkpoint, little, few),
            "leyenda_many": OwnEvaluation(checkpoint, much, many),
            "guide": GuideEvaluation(checkpoint, little, few),
        },
        rounds=1,
        check=_whole_evaluations,
    )


def _whole_evaluations(turns: Mapping[str, Sequence[Work]]) -> None:
    for works in turns.values():
        assert all(work.memory_peak > work.memory_before for work in works)


def _read_weights(model: Any) -> None:
    """A loaded file is mapped, and counts as memory from the first time it is read."""
    for weight in model.parameters():
        weight.sum()


def _check_memory(needed: float) -> None:
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    if free < needed:
        raise SystemExit(
            f"The guide's evaluation needs {needed / 1e9:.0f} GB of memory beside its model, "
            f"and {free / 1e9:.0f} GB are free."
        )
