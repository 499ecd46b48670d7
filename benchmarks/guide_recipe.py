"""The guide's recipe, written once: what a person runs today who follows the usual image-captioning guide.

Its padding (`max_length`: 512 tokens for `microsoft/git-base`), its labels (padding kept), its `Trainer` and
`TrainingArguments`, its metric (the word error rate of the teacher-forced argmax). Different is only what has to be:
pictures and captions are given (its data set is gone), nothing is pushed, and the word error rate comes from `jiwer`,
which `evaluate.load("wer")` would download a wrapper of. It needs nothing of leyenda.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch.utils.data import Dataset

GUIDE_ARGUMENTS = {
    "learning_rate": 5e-5,
    "num_train_epochs": 50,
    "per_device_train_batch_size": 32,
    "per_device_eval_batch_size": 32,
    "gradient_accumulation_steps": 2,
    "save_total_limit": 3,
    "eval_strategy": "steps",
    "eval_steps": 50,
    "save_strategy": "steps",
    "save_steps": 50,
    "logging_steps": 50,
    "remove_unused_columns": False,
    "label_names": ["labels"],
    "load_best_model_at_end": True,
}
"""The guide's `TrainingArguments`, but `fp16=True`, `push_to_hub=True` and the folder."""


class TransformedPairs(Dataset[dict[str, Any]]):
    """The guide's `train_ds.set_transform(transforms)`: a batch is prepared whenever it is asked for.

    Args:
        processor: the checkpoint's.
        pictures: files, opened at each access as `datasets` does.
        captions: one each.
        repeat: how many times the data is gone through in one pass, so that a short list lasts.
    """

    def __init__(
        self, processor: Any, pictures: Sequence[Path], captions: Sequence[str], repeat: int = 1
    ) -> None:
        self._processor = processor
        self._pictures = list(pictures) * repeat
        self._captions = list(captions) * repeat

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        images = [_open(self._pictures[index]) for index in indices]
        captions = [self._captions[index] for index in indices]
        inputs = self._processor(images=images, text=captions, padding="max_length")
        inputs.update({"labels": inputs["input_ids"]})
        return [{name: values[row] for name, values in inputs.items()} for row in range(len(indices))]

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])[0]


def guide_trainer(
    checkpoint: Path,
    pictures: Sequence[Path],
    captions: Sequence[str],
    output: Path,
    *,
    repeat: int = 1,
    callbacks: Sequence[Any] = (),
    **changed: Any,
) -> Any:
    """The guide's `Trainer`.

    Args:
        checkpoint: a GIT checkpoint.
        pictures: files, for training and for evaluation.
        captions: one each.
        output: where it would save.
        repeat: as for `TransformedPairs`.
        callbacks: more callbacks.
        changed: `TrainingArguments` that differ from the guide's.
    """
    from transformers import AutoModelForCausalLM, AutoProcessor, Trainer, TrainingArguments

    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    train_ds = TransformedPairs(processor, pictures, captions, repeat)
    test_ds = TransformedPairs(processor, pictures, captions)
    training_args = TrainingArguments(output_dir=str(output), **{**GUIDE_ARGUMENTS, **changed})
    return Trainer(
        model=model,
        args=training_args,
        train_dataset=train_ds,
        eval_dataset=test_ds,
        compute_metrics=_compute_metrics(processor),
        callbacks=list(callbacks),
    )


def _compute_metrics(processor: Any) -> Callable[[Any], dict[str, float]]:
    def compute_metrics(eval_pred: Any) -> dict[str, float]:
        import jiwer

        logits, labels = eval_pred
        predicted = logits.argmax(-1)
        decoded_labels = processor.batch_decode(labels, skip_special_tokens=True)
        decoded_predictions = processor.batch_decode(predicted, skip_special_tokens=True)
        return {"wer_score": jiwer.wer(decoded_labels, decoded_predictions)}

    return compute_metrics


class GuideCaptions:
    """The guide's inference: processor, `generate`, `batch_decode`.

    Args:
        checkpoint: a GIT checkpoint.
        device: `cpu` or `cuda`.
        number_format: `fp32` as in the guide, `bf16` or `fp16`.
        arguments: of `generate`.
    """

    def __init__(
        self, checkpoint: Path, device: str = "cpu", number_format: str = "fp32", **arguments: Any
    ) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoProcessor

        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[number_format]
        self.processor = AutoProcessor.from_pretrained(checkpoint)
        self.model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype).to(device).eval()
        self._device = device
        self._arguments = arguments

    def __call__(self, pictures: Sequence[Path]) -> tuple[list[str], list[list[int]]]:
        """Captions, and the ids of each, for picture files."""
        images = [_open(picture) for picture in pictures]
        inputs = self.processor(images=images, return_tensors="pt").to(self._device)
        pixel_values = inputs.pixel_values.to(self.model.dtype)
        generated_ids = self.model.generate(pixel_values=pixel_values, **self._arguments)
        return self.processor.batch_decode(generated_ids, skip_special_tokens=True), generated_ids.tolist()


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
