"""Training as sides of a comparison: the guide's recipe, and leyenda's own `train`, both held between two steps."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.git_flops import GitShape
from benchmarks.guide_recipe import guide_trainer
from benchmarks.material import read_data
from benchmarks.turns import Turns, Work

_ENDLESS_EPOCHS = 100_000
_ENOUGH_REPEATS = 1000


@dataclass(frozen=True)
class GuideTraining:
    """The guide's recipe.

    Args:
        checkpoint: what is fine-tuned.
        data: as `material.write_data` wrote it.
        number_format: `fp32`, or `bf16` for `bf16=True` in the guide's arguments.
        batch: images per step; the guide's own 64 (32, accumulated twice) would take minutes per step, and its
            images per second hardly depend on it.
        steps: optimizer steps per turn.
        accumulation: batches per optimizer step.
        device: `cpu` or `cuda`.
    """

    checkpoint: Path
    data: Path
    number_format: str = "fp32"
    batch: int = 4
    steps: int = 1
    accumulation: int = 1
    device: str = "cpu"

    @property
    def label(self) -> str:
        """Which of the guide's variants it is."""
        batch = f"{self.accumulation} x {self.batch}" if self.accumulation > 1 else str(self.batch)
        return f"the guide's recipe, {self.number_format}, batch {batch}"

    def run(self, turns: Turns) -> None:
        pairs = list(read_data(self.data))
        with tempfile.TemporaryDirectory() as output:
            trainer = guide_trainer(
                self.checkpoint,
                [picture for picture, _ in pairs],
                [caption for _, caption in pairs],
                Path(output),
                repeat=_ENOUGH_REPEATS,
                callbacks=[held_between_steps(turns, steps=self.steps, number_format=self.number_format)],
                per_device_train_batch_size=self.batch,
                gradient_accumulation_steps=self.accumulation,
                bf16=self.number_format == "bf16",
                fp16=self.number_format == "fp16",
                use_cpu=self.device == "cpu",
                disable_tqdm=True,
            )
            trainer.train()


@dataclass(frozen=True)
class OwnTraining:
    """`leyenda train`, from the recipe on.

    Args:
        checkpoint: what is fine-tuned.
        data: as `material.write_data` wrote it.
        label: what is particular about this run.
        number_format: what the recipe's precision is, or what `auto` has to come out as.
        precision: the recipe's precision.
        batch: images per step.
        steps: optimizer steps per turn.
        frozen: `--freeze image_encoder`.
        captions: `one` caption of each image per epoch, or `all`.
        changed: more of the recipe, by dotted name.
    """

    checkpoint: Path
    data: Path
    label: str
    number_format: str = "bf16"
    precision: str = "auto"
    batch: int = 32
    steps: int = 1
    frozen: bool = False
    captions: str = "one"
    changed: Mapping[str, Any] = field(default_factory=dict)

    def run(self, turns: Turns) -> None:
        from leyenda.heap import share_one_heap

        share_one_heap()  # as the command does, before these imports begin threads
        import transformers.trainer

        from leyenda.config import load_recipe
        from leyenda.jobs.train import train

        held = held_between_steps(
            turns, steps=self.steps, number_format=self.number_format, frozen=self.frozen
        )
        # leyenda's Trainer takes no callbacks from outside; those that every Trainer has are the door.
        transformers.trainer.DEFAULT_CALLBACKS.append(held)
        with tempfile.TemporaryDirectory() as output:
            os.environ["LEYENDA_CACHE"] = str(Path(output) / "cache")
            recipe = load_recipe(
                values={
                    "data.source": str(_with_one_to_score(self.data, Path(output))),
                    "data.captions": self.captions,
                    "data.validation": 0,
                    "data.test": 0,
                    "model.name": str(self.checkpoint),
                    "model.freeze": ["image_encoder"] if self.frozen else [],
                    "model.precision": self.precision,
                    "training.per_device_train_batch_size": self.batch,
                    "training.gradient_accumulation_steps": 1,
                    "training.num_train_epochs": _ENDLESS_EPOCHS,
                    "training.eval_strategy": "no",
                    "training.save_strategy": "no",
                    "training.disable_tqdm": True,
                    "training.report_to": "none",
                    **self.changed,
                }
            )
            train(recipe, Path(output) / "run", talk=lambda line: None)


def _with_one_to_score(data: Path, folder: Path) -> Path:
    """All of `data` to train on, and one picture more, without which no run begins: its end is never reached."""
    rows = [json.loads(line) for line in (data / "metadata.jsonl").read_text().splitlines()]
    lines = [
        {"image": str((data / row["file_name"]).resolve()), "captions": row["captions"], "split": "train"}
        for row in rows
    ]
    held_out = folder / "held-out.jpg"
    shutil.copyfile(lines[0]["image"], held_out)
    lines.append({**lines[0], "image": str(held_out), "split": "test"})
    table = folder / "pairs.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return table


def held_between_steps(turns: Turns, *, steps: int, number_format: str, frozen: bool = False) -> Any:
    """A `TrainerCallback` that waits for a turn, lets so many optimizer steps pass, and waits again.

    The first step warms up. The work is counted from what the model really was given.

    Args:
        turns: of the side.
        steps: optimizer steps per turn.
        number_format: what the run has to be in; another one is an error, for a benchmark falls back to nothing.
        frozen: whether the image encoder is frozen and its cached features are expected; pixels are an error then.
    """
    from transformers import TrainerCallback

    class HeldBetweenSteps(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(
            self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any
        ) -> None:
            running = "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32"
            assert running == number_format, f"the run is in {running}, not in {number_format}"
            self.seen = Seen(model.config, frozen)
            self.last_step = 1
            model.register_forward_pre_hook(self.seen.look, with_kwargs=True)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step < self.last_step:
                return
            if state.global_step > 1:
                wait_for(args.device)
                turns.end(self.seen.work())
            turns.begin()
            self.seen.forget()
            self.last_step = state.global_step + steps

    return HeldBetweenSteps()


def wait_for(device: Any) -> None:
    """Until a GPU has done what it was told."""
    if str(device).startswith("cuda"):
        import torch

        torch.cuda.synchronize()


class Seen:
    """Counts what a model is given."""

    def __init__(self, config: Any, frozen: bool) -> None:
        self._shape = GitShape.of(config)
        self._start, self._padding = config.bos_token_id, config.pad_token_id
        self._frozen = frozen
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._ids: list[Any] = []

    def look(self, module: Any, positional: Any, inputs: Mapping[str, Any]) -> None:
        """A hook before the model's forward."""
        expected = "image_features" if self._frozen else "pixel_values"
        assert inputs.get(expected) is not None, f"the model was given {sorted(inputs)}, not {expected}"
        assert len(inputs[expected]) == len(inputs["input_ids"])
        # Counted later: here it would wait for a GPU, and parts of a step come in several threads.
        self._ids.append(inputs["input_ids"])

    def work(self, notes: Mapping[str, Any] | None = None) -> Work:
        """What was given since `forget`, in captions and needed operations."""
        images = sum(map(len, self._ids))
        captions = sum(int((ids == self._start).sum()) for ids in self._ids)
        real = sum(int((ids != self._padding).sum()) for ids in self._ids)
        positions = sum(ids.numel() for ids in self._ids)
        tokens = real / captions - 1  # the end token is predicted, never fed
        flops = self._shape.training(images, captions, tokens, frozen_and_cached=self._frozen)
        return Work(
            captions,
            flops,
            notes={
                "images": images,
                "tokens_per_caption": round(tokens + 1, 2),
                "text_positions_per_caption": round(positions / captions, 2),
                **(notes or {}),
            },
        )
