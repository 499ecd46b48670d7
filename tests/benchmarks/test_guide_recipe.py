"""The baseline is what the guide says, not something easier to beat."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from benchmarks.guide_recipe import GUIDE_ARGUMENTS, TransformedPairs, guide_trainer
from benchmarks.material import QUICK, read_data, write_data, write_model

LEFT_OUT = {"output_dir", "fp16", "push_to_hub"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), QUICK)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    return list(read_data(write_data(tmp_path_factory.mktemp("data"), 2)))


def test_the_arguments_are_those_in_the_guide(shared: Path) -> None:
    guide = (shared / "reference" / "guide.es.md").read_text(encoding="utf-8")
    block = next(
        block
        for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
        if "TrainingArguments(" in block
    )
    call = next(
        node
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "TrainingArguments"
    )
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg not in LEFT_OUT}
    assert given == GUIDE_ARGUMENTS


def test_captions_are_padded_to_the_most_tokens_and_padding_is_learnt(checkpoint: Path, pairs) -> None:
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoint)
    row = TransformedPairs(processor, [pairs[0][0]], [pairs[0][1]])[0]
    assert len(row["input_ids"]) == processor.tokenizer.model_max_length == QUICK.padding
    assert list(row["labels"]) == list(row["input_ids"])
    assert list(row["labels"])[-1] == processor.tokenizer.pad_token_id


def test_it_trains_transformers_own_model_and_evaluates_on_kept_logits(
    checkpoint: Path, pairs, tmp_path: Path
) -> None:
    trainer = guide_trainer(
        checkpoint,
        [picture for picture, _ in pairs],
        [caption for _, caption in pairs],
        tmp_path,
        per_device_eval_batch_size=2,
        use_cpu=True,
        disable_tqdm=True,
    )
    assert type(trainer.model).__module__ == "transformers.models.git.modeling_git"
    scores = trainer.evaluate()
    assert scores["eval_wer_score"] > 0
