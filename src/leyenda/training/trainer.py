"""`transformers.Trainer` for captions: evaluates by generating, saves whole checkpoints, stops on Ctrl-C in order."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm
from transformers import Trainer, TrainerCallback
from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
from transformers.trainer_callback import PrinterCallback

from leyenda.data.examples import Examples
from leyenda.errors import RunError
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.memory import is_out_of_memory, release
from leyenda.records import Example
from leyenda.training import history
from leyenda.training.batch_size import PieceSize
from leyenda.training.batches_ahead import BatchesAhead
from leyenda.training.checkpoints import STATE_FILE, checkpoint_at, rotate, written_whole
from leyenda.training.clipping import clip
from leyenda.training.diagnostics import collapse_warning, show_samples
from leyenda.training.label_smoothing import smooth_in_model, smoothed
from leyenda.training.pairs import Batch, EpochSampler, Images, Pairs, StepSampler, as_it_is, collate, pieces
from leyenda.training.processes import ALONE, Processes
from leyenda.training.replicas import Replicas, count_of_replicas
from leyenda.training.self_critical import Drawn, SelfCritical, weighted_loss
from leyenda.training.sharding import (
    WHOLE_OPTIMIZER,
    load_optimizer,
    load_weights,
    sharded_copy,
    transformers_class,
    whole_optimizer,
    whole_weights,
)
from leyenda.training.weight_average import WeightAverage

Score = Callable[[Mapping[str, str], Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Captions by id and references by id to named scores; handed in, because training knows no metric."""

Talk = Callable[[str], None]
"""Where lines for the user go."""

T = TypeVar("T")


class CaptionTrainer(Trainer):  # type: ignore[misc]
    """The Trainer with captions as what is evaluated, and with steps that are computed in pieces.

    Args:
        captioning_model: what is trained.
        arguments: `TrainingArguments`, without accumulation: what a step is on, and the pieces that it is computed
            in, are `PieceSize`'s, which has to be among the callbacks when training starts.
        pairs: the training pairs.
        validation: usable examples to evaluate on.
        images: prepares the validation pictures.
        score: see `Score`.
        settings: how captions are generated at evaluations.
        samples: how many pictures to show at each evaluation.
        talk: see `Talk`.
        callbacks: more `TrainerCallback`s.
        processes: those that train together. They share the pictures of each step and of each evaluation; the main
            one scores and writes.
        average: the mean of the weights that is evaluated and kept; None for the weights themselves.
        self_critical: how steps of reward training draw and judge captions; None where all steps learn from what
            people wrote.
    """

    control: Any

    def __init__(
        self,
        captioning_model: CaptioningModel,
        arguments: Any,
        pairs: Pairs,
        validation: Examples,
        images: Images,
        score: Score,
        settings: GenerationSettings,
        samples: int,
        talk: Talk,
        callbacks: Sequence[TrainerCallback],
        processes: Processes = ALONE,
        average: WeightAverage | None = None,
        self_critical: SelfCritical | None = None,
    ) -> None:
        self._processes = processes
        self._average = average
        self._captioning_model = self._trained = captioning_model
        if processes.sharded:
            # The whole model captions and is saved; a copy with parts of the weights learns.
            divided = sharded_copy(captioning_model.model, arguments.device, processes.count)
            self._trained = dataclasses.replace(captioning_model, model=divided)
        # It is not told of the processor: some versions of transformers would take the start token from the
        # configuration of a model whose tokenizer does not name one.
        super().__init__(
            model=self._trained.model,
            args=arguments,
            train_dataset=pairs,
            eval_dataset=list(validation) or None,
            data_collator=as_it_is,
            callbacks=[*([average] if average else []), *callbacks],
        )
        self.label_smoother = None
        smooth_in_model(self._trained.model, arguments.label_smoothing_factor)
        # Both print to standard output, which belongs to results; the bar of notebooks is another than a terminal's.
        self.remove_callback(PrinterCallback)
        self.remove_callback(DEFAULT_PROGRESS_CALLBACK)
        self._validation = list(validation)
        self._images = images
        self._score = score
        self._settings = settings
        self._samples = samples
        self._talk = talk
        self._advised = False
        self._self_critical = self_critical
        self._rewards: list[float] = []  # of the captions since the last entry of the log
        self._rewards_begun = False
        self._steps_of_epoch = 0
        self._ahead = BatchesAhead()

    @property
    def _size(self) -> PieceSize:
        return next(one for one in self.callback_handler.callbacks if isinstance(one, PieceSize))

    def create_accelerator_and_postprocess(self) -> None:
        """As the Trainer's own, but the model is not wrapped to send its gradients while they are computed."""
        super().create_accelerator_and_postprocess()
        # `Processes.add_gradients` sends them when a step is computed, and says why.
        prepare = functools.partial(self.accelerator.prepare_model, evaluation_mode=True)
        self.accelerator.prepare_model = prepare

    def _prepare_for_training(self, *arguments: Any, **named: Any) -> Any:
        """As the Trainer's own; then all processes have the same weights, and each its own chance in dropout."""
        prepared = super()._prepare_for_training(*arguments, **named)
        if not self._processes.sharded:
            self._processes.give_weights(self.model)
        if self._processes.rank:
            torch.manual_seed(self.args.seed + self._processes.rank)
        return prepared

    def get_train_dataloader(self) -> Any:
        """This process's part of every step, read in the Trainer's way.

        That of accelerate would complete the last step of an epoch with pictures that have been seen already.
        """
        from accelerate.data_loader import prepare_data_loader

        args, pairs = self.args, self.train_dataset
        seed = args.data_seed if args.data_seed is not None else args.seed
        steps = StepSampler(
            EpochSampler(len(pairs), seed), self._size.step, self._processes, args.dataloader_drop_last
        )
        self._steps_of_epoch = len(steps)
        loader = DataLoader(
            pairs,
            batch_sampler=steps,
            collate_fn=self.data_collator,
            num_workers=args.dataloader_num_workers,
            pin_memory=args.dataloader_pin_memory,
            persistent_workers=args.dataloader_persistent_workers,
            prefetch_factor=args.dataloader_prefetch_factor,
        )
        return prepare_data_loader(
            loader,
            self.accelerator.device,
            num_processes=1,
            process_index=0,
            put_on_device=True,
            non_blocking=self.accelerator.non_blocking,
        )

    def _run_epoch(self, *arguments: Any, **named: Any) -> None:
        """As the Trainer's own; what was read ahead of its end is dropped with it."""
        try:
            super()._run_epoch(*arguments, **named)
        finally:
            self._ahead.close()

    def get_batch_samples(
        self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device
    ) -> tuple[list[Batch], torch.Tensor | None]:
        """The next batch, read ahead; words to learn are counted in `training_step`."""
        self._ahead.open(epoch_iterator)
        return self._processes.together(lambda: self._ahead.take(num_batches)), None

    def training_step(
        self, model: torch.nn.Module, inputs: Batch, num_items_in_batch: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Gradients of a whole optimizer step; when memory runs out, anew in smaller pieces.

        Returns:
            This process's share of the mean over all words of the step (over all captions, in reward training), times
            the number of processes: the Trainer logs the processes' mean.
        """
        if self._self_critical and self._epoch() >= self._self_critical.from_epoch:
            inputs = self._drawn(inputs, self._self_critical)
        divisor = torch.tensor(self._processes.total(self._counted(inputs)))
        if self._processes.sharded:
            return self._sharded_step(model, inputs, divisor)
        replicas = self._replicas
        if replicas is not None:
            replicas.follow()

        def learned() -> torch.Tensor:
            parts = pieces(inputs, self._size.pictures)
            if replicas is not None:
                return self._by_replicas(replicas, parts, divisor)
            return self._in_pieces(model, [(part, 1) for part in parts], divisor)

        total = self._until_it_fits(learned)
        self._processes.add_gradients([weight for weight in model.parameters() if weight.requires_grad])
        return total * self._processes.count

    def _epoch(self) -> int:
        """The one that the step in hand belongs to, from 0."""
        return int(self.state.global_step // self._steps_of_epoch)

    def _drawn(self, inputs: Batch, self_critical: SelfCritical) -> Batch:
        """The batch with captions that the model draws, in the place of those that people wrote."""
        if not self._rewards_begun:
            self._rewards_begun = True
            self._talk(
                f"Reward training from step {self.state.global_step + 1} on: the model draws "
                f"{self_critical.captions} captions of each picture and learns from how good they are by "
                f"{self_critical.about}."
            )
        seed = self.args.seed * 1_000_003 + self.state.global_step

        def attempt() -> Drawn:
            with self.compute_loss_context_manager():
                return self_critical.drawn(self._captioning_model, inputs, self._size.pictures, seed)

        drawn = self._until_it_fits(attempt)
        self._rewards += [one for part in self._processes.gathered(lambda: drawn.rewards) for one in part]
        return drawn.batch

    def _until_it_fits(self, attempt: Callable[[], T]) -> T:
        """What the attempt gives; where memory runs out in any process, anew in smaller pieces."""
        chance = _random_state(self.args.device)
        while True:
            made = self._processes.together(functools.partial(_if_it_fits, attempt))
            if not self._processes.any(made is None):
                assert made is not None
                return made
            self.model.zero_grad()
            self._size.halve()
            _set_random_state(chance, self.args.device)
            release(self.args.device)
            self._talk(
                f"Memory ran out at step {self.state.global_step + 1}: it is done again, and all that follow, "
                f"with {self._size.pictures} pictures at a time; a step is still on as many as before."
            )

    def _sharded_step(self, model: torch.nn.Module, inputs: Batch, divisor: torch.Tensor) -> torch.Tensor:
        """As `training_step`, where every layer of every piece is put together by all processes.

        So all have the same number of pieces, and one whose memory runs out cannot try again.
        """
        # What reaches a weight is the processes' mean, and it is to be their sum.
        parts = [(part, self._processes.count) for part in pieces(inputs, self._size.pictures)]
        missing = self._processes.most(len(parts)) - len(parts)
        parts += [(self.train_dataset.heaviest(1), 0)] * missing
        total = _if_it_fits(functools.partial(self._in_pieces, model, parts, divisor))
        if total is None:
            raise RunError(
                f"Memory ran out at step {self.state.global_step + 1} of a sharded model.",
                f"Start anew with another --output, and --batch-size {max(1, self._size.pictures // 2)} with more "
                "training.gradient_accumulation_steps.",
            )
        return total

    def _counted(self, inputs: Batch) -> int:
        """What this process adds to the number that the step's loss is divided by: words, or weighted captions."""
        if "weights" in inputs:
            return sum(map(len, inputs["weights"]))
        if not inputs["token_ids"]:
            return 0
        labels = collate(self._trained, {**inputs, "images": {}})["labels"]
        return int((labels != -100).sum())

    def _in_pieces(
        self, model: torch.nn.Module, parts: Sequence[tuple[Batch, int]], divisor: torch.Tensor
    ) -> torch.Tensor:
        """The loss of the parts together, each times its number."""
        total = torch.zeros((), device=self.args.device)
        for part, times in parts:
            total += self._learn(model, part, times, divisor)
        return total

    def _learn(self, model: torch.nn.Module, part: Batch, times: int, divisor: torch.Tensor) -> torch.Tensor:
        """The loss of a part; the model is left with its gradients."""
        loss: torch.Tensor = super().training_step(
            model, collate(self._trained, part) | {"times": times}, divisor
        )
        return loss

    @functools.cached_property
    def _replicas(self) -> Replicas | None:
        """Of the model as it is at the first step, where they suit."""
        count = count_of_replicas(self.model, torch.get_num_threads())
        return Replicas(self.model, count, self.args.bf16) if count > 1 else None

    def _by_replicas(self, replicas: Replicas, parts: Sequence[Batch], divisor: torch.Tensor) -> torch.Tensor:
        """The loss of the parts together, each of them divided among the replicas."""
        shares = [
            share for part in parts for share in pieces(part, -(-len(part["token_ids"]) // replicas.count))
        ]
        losses = replicas.learn(shares, lambda model, share: self._learn(model, share, 1, divisor))
        return torch.stack(losses).sum()

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The piece's share of the step's loss: whatever piece a word stands in, it counts alike, or by its weight."""
        inputs = dict(inputs)
        labels = inputs["labels"]
        share = inputs.pop("times") * (labels != -100).sum() / num_items_in_batch
        weights = inputs.get("weights")
        if not getattr(model, "weighs_words", False):
            inputs.pop("weights", None)
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True)
        factor, logits = self.args.label_smoothing_factor, getattr(outputs, "logits", None)
        if logits is not None and weights is not None:
            loss = weighted_loss(logits, labels, weights)
        elif logits is not None and factor:
            loss = smoothed(loss, logits, labels, factor)
        return (loss * share, outputs) if return_outputs else loss * share

    def log(self, logs: dict[str, float], *arguments: Any, **named: Any) -> None:
        """As the Trainer's own; beside the loss of reward training stands its captions' mean reward."""
        if "loss" in logs and self._rewards:
            logs = {**logs, "reward": sum(self._rewards) / len(self._rewards)}
            self._rewards.clear()
        super().log(logs, *arguments, **named)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Generate a caption for every validation picture and score it against all its references.

        Only captions are kept, never logits, so memory does not grow with the number of pictures.

        Returns:
            `eval_NAME` for every score, and `eval_loss`, the mean loss per token of the first captions.
        """
        self._put_together()
        with self._averaged():
            captions, loss = self._caption_validation()
        references = {example.id: example.captions for example in self._validation}
        scores = self._processes.from_main(lambda: dict(self._score(captions, references)) | {"loss": loss})
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        self._show(captions, references, scores)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _caption_validation(self) -> tuple[dict[str, str], float]:
        """A caption for every validation picture, in their order, and the mean loss per token of all of them."""
        parts = self._processes.gathered(self._caption_share)
        told = {name: text for texts, _, _ in parts for name, text in texts.items()}
        loss = sum(loss for _, loss, _ in parts) / max(sum(tokens for _, _, tokens in parts), 1)
        return {example.id: told[example.id] for example in self._validation}, loss

    def _caption_share(self) -> tuple[dict[str, str], float, int]:
        """This process's share: captions by id, sum of the losses and number of the tokens."""
        model = self._captioning_model.model
        was_training = model.training
        model.eval()
        captions: dict[str, str] = {}
        loss_sum, tokens = 0.0, 0
        share = self._processes.share_in_rows(self._validation, self.args.eval_batch_size)
        try:
            for batch in tqdm(share, desc="Evaluating", delay=2, leave=False, file=sys.stderr):
                for texts, loss, count in self._judged(batch):
                    captions |= texts
                    loss_sum += loss * count
                    tokens += count
        finally:
            model.train(was_training)
        return captions, loss_sum, tokens

    def _judged(self, batch: Sequence[Example]) -> list[tuple[dict[str, str], float, int]]:
        """Captions by id, mean loss per token and number of tokens; in halves when memory does not do for all."""
        try:
            images: dict[str, Any] = dict(self._images.inputs(batch))
            answers = self._captioning_model.generate(**images, settings=self._settings)
            texts = {one.id: answer.text for one, answer in zip(batch, answers, strict=True)}
            return [(texts, *self._loss(images, batch))]
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
        release(self.args.device)
        middle = len(batch) // 2
        return self._judged(batch[:middle]) + self._judged(batch[middle:])

    def _loss(self, images: dict[str, torch.Tensor], batch: Sequence[Example]) -> tuple[float, int]:
        """Mean loss per token, and how many tokens, of the batch's first captions."""
        model = self._captioning_model
        token_ids = [
            [model.family.caption_token_ids(model.tokenizer, example.captions[0], model.max_caption_tokens)]
            for example in batch
        ]
        told: Batch = {"images": images, "token_ids": token_ids, "references": []}
        inputs = self._prepare_inputs(collate(model, told))
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = model.model(**inputs).loss
        return float(loss), int((inputs["labels"] != -100).sum())

    def _show(
        self,
        captions: Mapping[str, str],
        references: Mapping[str, Sequence[str]],
        scores: Mapping[str, float],
    ) -> None:
        main = self.args.metric_for_best_model.removeprefix("eval_")
        shown = "  ".join(
            f"{name} {scores[name]:.3f}"
            for name in dict.fromkeys((main, "cider_d", "distinct", "loss"))
            if name in scores
        )
        self._talk(f"Step {self.state.global_step} (epoch {self.state.epoch or 0:.1f}): {shown}")
        if self._samples:
            self._talk(show_samples(captions, references, self._samples))
        warning = collapse_warning(list(captions.values()), self.args.learning_rate)
        if warning:
            # The advice once; after that a line is enough.
            self._talk(warning.splitlines()[0] if self._advised else warning)
            self._advised = True

    def _save_checkpoint(self, model: Any, trial: Any = None) -> None:
        """As the Trainer's own, but the checkpoint appears whole, under its name, or not at all."""
        folder = Path(self.args.output_dir)
        self.store_flos()
        best_step = self.state.best_global_step
        step = self.state.global_step
        if best_step:
            self.state.best_model_checkpoint = str(checkpoint_at(folder, best_step))
        chances = self._processes.gathered(self._chance_files)
        self._put_together()
        whole = whole_optimizer(self.model, self.optimizer) if self._processes.sharded else None

        def write() -> None:
            with written_whole(checkpoint_at(folder, step)) as draft:
                self._save_plain(draft)
                if not self.args.save_only_model:
                    if whole is None:
                        self._save_optimizer_and_scheduler(str(draft))
                    else:
                        torch.save(whole, draft / WHOLE_OPTIMIZER)
                        torch.save(self.lr_scheduler.state_dict(), draft / "scheduler.pt")
                    self._save_scaler(str(draft))
                    for name, content in (item for files in chances for item in files.items()):
                        (draft / name).write_bytes(content)
                self._export_callbacks()
                self.state.save_to_json(str(draft / STATE_FILE))
            rotate(folder, self.args.save_total_limit, best_step)

        self._processes.from_main(write)

    def _averaged(self) -> contextlib.AbstractContextManager[None]:
        """Inside the block the model has the mean of its weights, where the run keeps one."""
        return self._average.in_place() if self._average else contextlib.nullcontext()

    def _put_together(self) -> None:
        """Give the whole model the weights of the sharded one."""
        if self._processes.sharded:
            self._captioning_model.model.load_state_dict(whole_weights(self.model))

    def _save_plain(self, folder: Path) -> None:
        """The checkpoint that people load, and the arguments of the run."""
        with self._averaged():
            self._captioning_model.model.save_pretrained(folder)
        if self._average and not self.args.save_only_model:
            self._average.save(folder)
        (self._captioning_model.processor or self._captioning_model.tokenizer).save_pretrained(folder)
        torch.save(self.args, folder / "training_args.bin")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if not self._processes.sharded:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            if self._average:
                self._average.load(Path(resume_from_checkpoint))
            return
        kind = transformers_class(self._captioning_model.model)
        load_weights(
            self.model, kind.from_pretrained(resume_from_checkpoint, dtype=torch.float32).state_dict()
        )

    def _load_best_model(self) -> None:
        """Nothing: the best checkpoint is published from its files."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self._processes.sharded or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        folder = Path(checkpoint)
        load_optimizer(self.model, self.optimizer, folder / WHOLE_OPTIMIZER)
        self.lr_scheduler.load_state_dict(torch.load(folder / "scheduler.pt", weights_only=True))

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        if self._replicas is not None and self._processes.count == 1:
            norm = torch.tensor(self._replicas.norm())
            clip(model, self.optimizer, norm, self.args.max_grad_norm)
            return norm
        norm = super()._clip_grad_norm(model)
        return norm.full_tensor() if hasattr(norm, "full_tensor") else norm

    def _chance_files(self) -> dict[str, bytes]:
        """The states of this process's random numbers, as the Trainer would write them into the checkpoint."""
        with tempfile.TemporaryDirectory() as folder:
            self._save_rng_state(folder)
            return {path.name: path.read_bytes() for path in Path(folder).iterdir()}

    def _export_callbacks(self) -> None:
        from transformers.trainer_callback import ExportableState

        for callback in [*self.callback_handler.callbacks, self.control]:
            if isinstance(callback, ExportableState):
                self.state.stateful_callbacks[type(callback).__name__] = callback.state()


def _if_it_fits(attempt: Callable[[], T]) -> T | None:
    """What the attempt gives; None when memory runs out, and gradients are not to be used then."""
    try:
        return attempt()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside of `except`, where the error does not keep what the failed attempt has allocated.
    return None


def _random_state(device: torch.device) -> list[torch.Tensor]:
    """Of the generators that dropout draws from."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def _set_random_state(state: Sequence[torch.Tensor], device: torch.device) -> None:
    torch.set_rng_state(state[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1], device)


class BestKept(TrainerCallback):  # type: ignore[misc]
    """The last step is evaluated too, so that it can be the best; a moved run still finds its best checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Point at the best checkpoint where the run lies now."""
        if state.best_global_step:
            state.best_model_checkpoint = str(checkpoint_at(self._folder, state.best_global_step))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate, log and save at the end whatever the intervals are."""
        if state.global_step >= state.max_steps:
            control.should_save = True
            control.should_log = True
            control.should_evaluate = args.eval_strategy != "no"


class HistoryWritten(TrainerCallback):  # type: ignore[misc]
    """Every log entry becomes a line of `history.jsonl`; a loss that is no number ends the run.

    Args:
        path: of the file; None where another process writes it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Append, and check."""
        row = {"step": state.global_step, "epoch": state.epoch, **(logs or {})}
        if self._path is not None:
            history.append(self._path, row)
        loss = row.get("loss")
        if isinstance(loss, float) and not math.isfinite(loss):
            raise RunError(
                f"The loss is no longer a number at step {state.global_step}: training has diverged.",
                f"Lower the learning rate, as in --set training.learning_rate={args.learning_rate / 10:g}.",
            )


class ProgressShown(TrainerCallback):  # type: ignore[misc]
    """One bar over all steps, on standard error, with loss and reward beside it."""

    def __init__(self) -> None:
        self._bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start where the run is."""
        self._bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="Training",
            unit="step",
            file=sys.stderr,
            disable=args.disable_tqdm,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """One step more."""
        self._bar.update(state.global_step - self._bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Show the loss, and the reward where there is one."""
        if self._bar is not None and "loss" in (logs or {}):
            shown = {name: f"{logs[name]:.3f}" for name in ("loss", "reward") if name in logs}
            self._bar.set_postfix(shown, refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the bar where it is."""
        self._bar.close()


class StoppedInOrder(TrainerCallback):  # type: ignore[misc]
    """The first Ctrl-C finishes the step in hand, saves it and ends; a second one ends at once.

    Args:
        talk: see `Talk`.
        processes: those that train together stop behind the same step, whichever of them was asked.
    """

    def __init__(self, talk: Talk, processes: Processes = ALONE) -> None:
        self._talk = talk
        self._processes = processes
        self._before: Any = None
        self.asked = False
        self._stopping = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take over Ctrl-C; possible in the main thread only."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._talk("Stopping: saving the step in hand. Ctrl-C again stops at once.")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for a checkpoint, if any process was asked to stop.

        What a process is asked after this counts at the next step only: one alone would leave the others waiting.
        """
        self._stopping = self._processes.any(self.asked)
        if self._stopping:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Only after saving, so that the checkpoint does not say that training has ended."""
        if self._stopping:
            control.should_training_stop = True

    def was_asked(self) -> bool:
        """Whether any process was asked to stop, in the end; all of them have to ask this."""
        return self._processes.any(self.asked)

    def give_back(self) -> None:
        """Restore what Ctrl-C did before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
