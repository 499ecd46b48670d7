"""Compiling a model while it is trained: when it is done, and that the model stays the same."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from tests.fakes.coloured_shapes import write_coloured_shapes

from leyenda import models
from leyenda.cli import main
from leyenda.training import compilation
from leyenda.training.compilation import WARM_UP, WATCHED, CompiledWhenItPays, compile_network

CAPTIONS = ["a dog runs", "two cats sleep on a red bed", "a bird", "the man and the dog"]


@pytest.fixture(scope="module")
def captioner():
    return models.create("tiny", CAPTIONS, device="cpu")


def inputs(captioner, count):
    family, tokenizer = captioner.family, captioner.tokenizer
    ids = [family.caption_token_ids(tokenizer, caption, 32) for caption in CAPTIONS]
    chance = torch.Generator().manual_seed(count)
    images = {"pixel_values": torch.randn(count, 3, 32, 32, generator=chance)}
    return family.training_inputs(captioner.model, images, [[ids[row % 4]] for row in range(count)])


def loss_and_gradients(model, given):
    model.zero_grad()
    loss = model(**given).loss
    loss.backward()
    return [loss.detach(), *(weight.grad for weight in model.parameters() if weight.grad is not None)]


def test_loss_and_gradients_stay_and_only_full_pieces_are_compiled(captioner, monkeypatch):
    seen = []

    def watched(graph, example_inputs):
        def run(*arguments):
            seen.append(next(one.shape[0] for one in arguments if getattr(one, "ndim", 0) == 4))
            return graph(*arguments)

        return run

    plain = copy.deepcopy(captioner.model).eval()
    compiled = copy.deepcopy(plain)
    torch._dynamo.reset()
    compile_network(compiled, 4, backend=watched)
    for count in (4, 3, 4):
        given = inputs(captioner, count)
        for found, right in zip(
            loss_and_gradients(compiled, given), loss_and_gradients(plain, given), strict=True
        ):
            torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-6)
    assert seen == [4, 4]
    assert sorted(compiled.state_dict()) == sorted(plain.state_dict())


@pytest.mark.parametrize(
    ("seconds_a_step", "suits", "expected"),
    [(10.0, True, [32]), (0.1, True, []), (10.0, False, [])],
)
def test_when(seconds_a_step, suits, expected, monkeypatch):
    compiled, told, now = [], [], 0.0
    monkeypatch.setattr(compilation, "can_be_compiled", lambda model: suits)
    monkeypatch.setattr(compilation, "compile_network", lambda model, pictures: compiled.append(pictures))
    callback = CompiledWhenItPays(told.append, lambda: 32, clock=lambda: now)
    for step in range(1, WARM_UP + WATCHED + 50):
        now = step * seconds_a_step
        state = SimpleNamespace(global_step=step, max_steps=WARM_UP + WATCHED + 360)
        callback.on_step_end(None, state, None, model=None)
    assert compiled == expected
    assert [line[:23] for line in told] == ["About 60 minutes of tra"] * len(expected)


@pytest.mark.parametrize(("more", "expected"), [([], [4]), (["--set", "training.torch_compile=false"], [])])
def test_a_run_compiles_for_its_full_piece_unless_told_not_to(more, expected, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    write_coloured_shapes(tmp_path / "data", 12, "one {shape} painted {colour}")
    compiled = []
    monkeypatch.setattr(compilation, "can_be_compiled", lambda model: True)
    monkeypatch.setattr(compilation, "compile_network", lambda model, pictures: compiled.append(pictures))
    for name, value in {"WARM_UP": 1, "WATCHED": 1, "WORTH_IT": 0.0}.items():
        monkeypatch.setattr(compilation, name, value)
    words = ["--from-scratch", "tiny", "--device", "cpu", "--batch-size", "4", "--epochs", "2"]
    settings = ["--set", "training.eval_strategy=no", "--set", "training.disable_tqdm=true"]
    assert (
        main(["train", str(tmp_path / "data"), "--output", str(tmp_path / "run"), *words, *settings, *more])
        == 0
    )
    assert compiled == expected


def test_never_on_a_cpu(captioner):
    assert not compilation.can_be_compiled(captioner.model)
