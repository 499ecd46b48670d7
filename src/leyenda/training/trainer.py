"""`transformers.Trainer` for captions: evaluates by generating, saves whole checkpoints, stops on Ctrl-C in order."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from tqdm import tqdm
from transformers import Trainer, TrainerCallback
from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
from transformers.trainer_callback import PrinterCallback

from leyenda.data.examples import Examples
from leyenda.errors import RunError
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.records import Example
from leyenda.training import history
from leyenda.training.checkpoints import STATE_FILE, checkpoint_at, rotate, written_whole
from leyenda.training.diagnostics import collapse_warning, show_samples
from leyenda.training.pairs import Collator, EpochSampler, Pairs, collate
from leyenda.training.pictures import Pictures

Score = Callable[[Mapping[str, str], Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Captions by id and references by id to named scores; handed in, because training knows no metric."""

Talk = Callable[[str], None]
"""Where lines for the user go."""


class CaptionTrainer(Trainer):  # type: ignore[misc]
    """The Trainer with captions as what is evaluated.

    Args:
        captioning_model: what is trained.
        arguments: `TrainingArguments`.
        pairs: the training pairs.
        validation: usable examples to evaluate on.
        pictures: prepares the validation pictures.
        score: see `Score`.
        settings: how captions are generated at evaluations.
        samples: how many pictures to show at each evaluation.
        talk: see `Talk`.
        callbacks: more `TrainerCallback`s.
    """

    control: Any

    def __init__(
        self,
        captioning_model: CaptioningModel,
        arguments: Any,
        pairs: Pairs,
        validation: Examples,
        pictures: Pictures,
        score: Score,
        settings: GenerationSettings,
        samples: int,
        talk: Talk,
        callbacks: Sequence[TrainerCallback] = (),
    ) -> None:
        super().__init__(
            model=captioning_model.model,
            args=arguments,
            train_dataset=pairs,
            eval_dataset=list(validation) or None,
            data_collator=Collator(captioning_model),
            processing_class=captioning_model.processor or captioning_model.tokenizer,
            callbacks=list(callbacks),
        )
        # Both print to standard output, which belongs to results; the bar of notebooks is another than a terminal's.
        self.remove_callback(PrinterCallback)
        self.remove_callback(DEFAULT_PROGRESS_CALLBACK)
        self._captioning_model = captioning_model
        self._validation = list(validation)
        self._pictures = pictures
        self._score = score
        self._settings = settings
        self._samples = samples
        self._talk = talk
        self._advised = False

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochSampler:
        dataset = train_dataset if train_dataset is not None else self.train_dataset
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        return EpochSampler(len(dataset), seed)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Generate a caption for every validation picture and score it against all its references.

        Only captions are kept, never logits, so memory does not grow with the number of pictures.

        Returns:
            `eval_NAME` for every score, and `eval_loss`, the mean loss per token of the first captions.
        """
        captions, loss = self._caption_validation()
        references = {example.id: example.captions for example in self._validation}
        scores = dict(self._score(captions, references)) | {"loss": loss}
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        self._show(captions, references, scores)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _caption_validation(self) -> tuple[dict[str, str], float]:
        model = self._captioning_model
        was_training = model.model.training
        model.model.eval()
        captions: dict[str, str] = {}
        loss_sum, tokens = 0.0, 0
        batches = _batches(self._validation, self.args.eval_batch_size)
        try:
            for batch in tqdm(batches, desc="Evaluating", delay=2, leave=False, file=sys.stderr):
                pixel_values = self._pictures.batch(batch).to(self.args.device)
                for example, caption in zip(batch, model.generate(pixel_values, self._settings), strict=True):
                    captions[example.id] = caption.text
                loss, count = self._loss(pixel_values, batch)
                loss_sum += loss * count
                tokens += count
        finally:
            model.model.train(was_training)
        return captions, loss_sum / max(tokens, 1)

    def _loss(self, pixel_values: torch.Tensor, batch: Sequence[Example]) -> tuple[float, int]:
        """Mean loss per token, and how many tokens, of the batch's first captions."""
        model = self._captioning_model
        token_ids = [
            model.family.caption_token_ids(model.tokenizer, example.captions[0], model.max_caption_tokens)
            for example in batch
        ]
        inputs = self._prepare_inputs(collate(model, pixel_values.cpu(), token_ids))
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
        with written_whole(checkpoint_at(folder, step)) as draft:
            self.save_model(str(draft), _internal_call=True)
            if not self.args.save_only_model:
                self._save_optimizer_and_scheduler(str(draft))
                self._save_scaler(str(draft))
                self._save_rng_state(str(draft))
            self._export_callbacks()
            self.state.save_to_json(str(draft / STATE_FILE))
        rotate(folder, self.args.save_total_limit, best_step)

    def _export_callbacks(self) -> None:
        from transformers.trainer_callback import ExportableState

        for callback in [*self.callback_handler.callbacks, self.control]:
            if isinstance(callback, ExportableState):
                self.state.stateful_callbacks[type(callback).__name__] = callback.state()


def _batches(examples: Sequence[Example], size: int) -> list[Sequence[Example]]:
    return [examples[start : start + size] for start in range(0, len(examples), size)]


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
    """Every log entry becomes a line of `history.jsonl`; a loss that is no number ends the run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Append, and check."""
        row = {"step": state.global_step, "epoch": state.epoch, **(logs or {})}
        history.append(self._path, row)
        loss = row.get("loss")
        if isinstance(loss, float) and not math.isfinite(loss):
            raise RunError(
                f"The loss is no longer a number at step {state.global_step}: training has diverged.",
                f"Lower the learning rate, as in --set training.learning_rate={args.learning_rate / 10:g}.",
            )


class ProgressShown(TrainerCallback):  # type: ignore[misc]
    """One bar over all steps, on standard error, with the loss beside it."""

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
        """Show the loss."""
        if self._bar is not None and "loss" in (logs or {}):
            self._bar.set_postfix(loss=f"{logs['loss']:.3f}", refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the bar where it is."""
        self._bar.close()


class StoppedInOrder(TrainerCallback):  # type: ignore[misc]
    """The first Ctrl-C finishes the step in hand, saves it and ends; a second one ends at once."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._before: Any = None
        self.asked = False

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
        """Ask for a checkpoint."""
        if self.asked:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Only after saving, so that the checkpoint does not say that training has ended."""
        if self.asked:
            control.should_training_stop = True

    def give_back(self) -> None:
        """Restore what Ctrl-C did before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
