"""Replicas learn what the model would have learned; which of them is first decides nothing."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest
import torch
from safetensors.torch import load_file
from tests.fakes.noise import Noise

from leyenda import models
from leyenda.config import load_recipe
from leyenda.data.examples import Examples
from leyenda.models import trained_product
from leyenda.models.packed import can_pack
from leyenda.records import Example, ImageSource
from leyenda.training import replicas
from leyenda.training.fitting import Objective, Task, fit
from leyenda.training.pairs import collate, pieces
from leyenda.training.replicas import Replicas, count_of_replicas
from leyenda.training.run_folder import RunFolder

WORDS = ["a red dog", "two blue birds over a house", "the cat sleeps", "one boat on a wide green lake"]
PICTURES = 7
OFFERS = can_pack(torch.device("cpu"), torch.bfloat16)


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def git(dropout=0.0):
    model = models.create("tiny", WORDS * 3, seed=7, device="cpu")
    for module in model.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    model.model.train()
    return model


def batch(model):
    chance = torch.Generator().manual_seed(3)
    ids = [
        [
            model.family.caption_token_ids(model.tokenizer, WORDS[n % 4], 20)
            for n in range(row, row + 1 + row % 2)
        ]
        for row in range(PICTURES)
    ]
    return {
        "images": {"pixel_values": torch.randn(PICTURES, 3, 32, 32, generator=chance)},
        "token_ids": ids,
        "references": [()] * PICTURES,
    }


def learning(model, bf16=False, before=lambda part: None):
    """What leaves a part's gradients in a model, and returns its loss."""

    def learned(network, part):
        before(part)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = network(**collate(model, part), num_items_in_batch=11.0).loss
        loss.backward()
        return loss.detach()

    return learned


def gradients(model):
    found = {name: weight.grad for name, weight in model.model.named_parameters()}
    model.model.zero_grad()
    return found


def norm_of(model):
    found = [weight.grad for weight in model.model.parameters() if weight.grad is not None]
    return float(torch.nn.utils.get_total_norm(found))


def assert_alike(found, expected, tolerance):
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        if gradient is None:
            assert found[name] is None, name
            continue
        assert found[name].dtype == gradient.dtype == torch.float32
        assert float((found[name] - gradient).norm()) <= tolerance * float(gradient.norm()) + 1e-7, name


def error(found, exact):
    """Of all gradients together, relative to what they should be."""
    assert found.keys() == exact.keys()
    assert {gradient.dtype for gradient in found.values()} == {torch.float32}
    missed = sum(float((found[name] - exact[name]).square().sum()) for name in exact)
    return (missed / sum(float(gradient.square().sum()) for gradient in exact.values())) ** 0.5


def test_gradients_are_those_of_the_model():
    model = git()
    loss = learning(model)(model.model, batch(model))
    expected = gradients(model)
    copies = Replicas(model.model, 2, bf16=False)
    for _ in range(2):  # a second time, and the gradients are added up
        losses = copies.learn(pieces(batch(model), 4), learning(model))
        assert float(sum(losses)) == pytest.approx(float(loss), rel=1e-6)
        assert copies.norm() == pytest.approx(norm_of(model), rel=1e-5)
    assert_alike({name: grad / 2 for name, grad in gradients(model).items()}, expected, 1e-5)


def test_in_bf16_they_are_as_near_to_exact_ones():
    model = git()
    learning(model)(model.model, batch(model))
    exact = gradients(model)
    learning(model, bf16=True)(model.model, batch(model))
    usual = error(gradients(model), exact)
    copies = Replicas(model.model, 2, bf16=True)
    for _ in range(2):
        copies.learn(pieces(batch(model), 4), learning(model, bf16=True))
        assert copies.norm() == pytest.approx(norm_of(model), rel=1e-5)
    found = {name: gradient / 2 for name, gradient in gradients(model).items()}
    assert 1e-3 < error(found, exact) < 1.2 * usual < 0.02


def test_weighted_captions_of_reward_training():
    model = git()
    weighted = batch(model)
    weighted["weights"] = [
        [(-1) ** row * (place + 0.5) for place, _ in enumerate(captions)]
        for row, captions in enumerate(weighted["token_ids"])
    ]
    learning(model)(model.model, weighted)
    expected = gradients(model)
    Replicas(model.model, 2, bf16=False).learn(pieces(weighted, 4), learning(model))
    assert_alike(gradients(model), expected, 1e-5)
    learning(model)(model.model, batch(model))
    assert error(gradients(model), expected) > 0.1, "weights change nothing"


def test_what_is_frozen_gets_no_gradient():
    model = git()
    model.model.git.image_encoder.requires_grad_(False)
    learning(model)(model.model, batch(model))
    expected = gradients(model)
    assert any(gradient is None for gradient in expected.values())
    copies = Replicas(model.model, 2, bf16=False)
    copies.learn(pieces(batch(model), 4), learning(model))
    assert copies.norm() == pytest.approx(norm_of(model), rel=1e-5)
    assert_alike(gradients(model), expected, 1e-5)


@pytest.mark.parametrize("bf16", [False, True])
def test_they_follow_the_weights(bf16):
    model = git()
    copies = Replicas(model.model, 2, bf16)
    with torch.no_grad():
        for weight in model.model.parameters():
            weight.mul_(1.2)
    weight = model.model.git.encoder.layer[0].output.dense.weight
    weight.data = weight.data * 1.5  # its numbers in another place
    learning(model)(model.model, batch(model))
    exact = gradients(model)
    learning(model, bf16)(model.model, batch(model))
    usual = error(gradients(model), exact)
    copies.learn(pieces(batch(model), 4), learning(model, bf16))
    assert error(gradients(model), exact) > 2 * usual + 0.01, "the weights have hardly changed"
    model.model.zero_grad()
    copies.follow()
    copies.learn(pieces(batch(model), 4), learning(model, bf16))
    assert error(gradients(model), exact) < 1.5 * usual + 1e-5


@pytest.mark.parametrize("late", [0, 1])
def test_chance_does_not_depend_on_who_is_first(late):
    """Each part waits in turn until the other one is through its forward pass."""
    model = git(dropout=0.3)
    parts = pieces(batch(model), 4)

    def learned(slow):
        torch.manual_seed(5)
        copies = Replicas(model.model, 2, bf16=False)
        wait = learning(model, before=lambda part: time.sleep(0.3 if part is parts[slow] else 0))
        copies.learn(parts, wait)
        return gradients(model)

    assert_alike(learned(late), learned(1 - late), 0.0)


def test_parts_do_not_share_their_chance():
    model = git(dropout=0.3)
    part = pieces(batch(model), 1)[0]
    torch.manual_seed(5)
    one, other = Replicas(model.model, 2, bf16=False).learn([part, part], learning(model))
    torch.manual_seed(6)
    third, _ = Replicas(model.model, 2, bf16=False).learn([part, part], learning(model))
    assert len({float(one), float(other), float(third)}) == 3


def test_an_error_waits_for_the_others_and_the_next_try_is_as_the_first():
    model = git()
    parts = pieces(batch(model), 4)
    begun, ended = threading.Barrier(2), threading.Event()

    def learned(network, part):
        begun.wait(60)
        if part is parts[0]:
            raise MemoryError
        time.sleep(0.3)
        loss = learning(model)(network, part)
        ended.set()
        return loss

    copies = Replicas(model.model, 2, bf16=False)
    with pytest.raises(MemoryError):
        copies.learn(parts, learned)
    assert ended.is_set()
    model.model.zero_grad()
    assert torch.get_num_threads() == 2
    learning(model)(model.model, batch(model))
    expected = gradients(model)
    copies.learn(parts, learning(model))
    assert_alike(gradients(model), expected, 1e-5)


def test_a_part_that_takes_long_does_not_change_the_order():
    """What is added up in another order is rounded in another way: parts wait for those before them."""
    model = git(dropout=0.3)
    parts = pieces(batch(model), 1)
    assert len(parts) == PICTURES

    def learned(slow):
        torch.manual_seed(5)
        by = []

        def wait(part):
            by.append(threading.current_thread().name)
            time.sleep(0.5 if part is parts[slow] else 0)

        Replicas(model.model, 3, bf16=False).learn(parts, learning(model, before=wait))
        assert len(set(by)) == 3
        return gradients(model)

    assert_alike(learned(0), learned(1), 0.0)


def test_no_part_is_begun_after_an_error():
    model = git()
    begun = []

    def learned(network, part):
        begun.append(part)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Replicas(model.model, 2, bf16=False).learn(pieces(batch(model), 1), learned)
    assert len(begun) <= 2


def late_and_early(model, parts):
    """Learning in which the first part begins when the second has ended."""
    ended = threading.Event()

    def learned(network, part):
        if part is parts[0]:
            assert ended.wait(60)
        loss = learning(model, bf16=True)(network, part)
        if part is parts[1]:
            ended.set()
        return loss

    return learned


def test_who_is_through_finds_the_gradients_of_weights_for_others(monkeypatch):
    model = git(dropout=0.3)
    parts = pieces(batch(model), 4)
    torch.manual_seed(5)
    Replicas(model.model, 2, bf16=True).learn(parts, learning(model, bf16=True))
    expected = gradients(model)
    by = []
    leave = trained_product._leave_gradients

    def seen(*arguments):
        by.append(threading.current_thread().name)
        time.sleep(0.01)
        leave(*arguments)

    monkeypatch.setattr(trained_product, "_leave_gradients", seen)
    torch.manual_seed(5)
    Replicas(model.model, 2, bf16=True).learn(parts, late_and_early(model, parts))
    assert_alike(gradients(model), expected, 0.0)
    if not OFFERS:
        assert by == []
        return
    own, helped = by[len(by) // 2 :], set(by[: len(by) // 2])
    assert len(helped) == 1
    assert set(own) > helped, "all was done by the one that had the part"


@pytest.mark.skipif(not OFFERS, reason="gradients of weights are offered on CPUs with bf16")
def test_an_error_in_what_is_done_for_others_is_theirs(monkeypatch):
    model = git()
    parts = pieces(batch(model), 4)
    copies = Replicas(model.model, 2, bf16=True)
    learned = late_and_early(model, parts)

    def broken(*arguments):
        raise MemoryError

    def and_then_broken(network, part):
        loss = learned(network, part)
        monkeypatch.setattr(trained_product, "_leave_gradients", broken)
        return loss

    with pytest.raises(MemoryError):
        copies.learn(parts, and_then_broken)
    monkeypatch.undo()
    model.model.zero_grad()
    copies.learn(parts, learning(model, bf16=True))
    assert all(gradient is not None for gradient in gradients(model).values())


def test_hooks_see_all_parts():
    model = git()
    seen = []
    model.model.register_forward_pre_hook(
        lambda module, args, inputs: seen.append(len(inputs["input_ids"])), with_kwargs=True
    )
    copies = Replicas(model.model, 2, bf16=False)
    copies.learn(pieces(batch(model), 4), learning(model))
    assert sorted(seen) == [3, 4]


def test_where_they_suit():
    model = git().model
    assert count_of_replicas(model, 2) == 1  # it is narrow
    model.config.hidden_size = 768
    assert [count_of_replicas(model, threads) for threads in (1, 2, 3, 16)] == [1, 2, 3, 4]
    plain = models.create("tiny", WORDS * 3, seed=7, device="cpu", fast=False).model
    assert count_of_replicas(plain, 2) == 1
    layer = model.git.encoder.layer[0]
    layer.gradient_checkpointing = True
    assert count_of_replicas(model, 2) == 1
    layer.gradient_checkpointing = False
    assert count_of_replicas(model, 2) == 2
    model.output.weight.register_post_accumulate_grad_hook(lambda weight: None)
    assert count_of_replicas(model, 2) == 1


@pytest.fixture
def used(monkeypatch):
    """Narrow models have replicas too; how many parts each of their steps had."""
    parts = []
    learn = Replicas.learn

    def counted(self, some, gradients):
        parts.append(len(some))
        return learn(self, some, gradients)

    monkeypatch.setattr(replicas, "_NARROWEST", 1)
    monkeypatch.setattr(Replicas, "learn", counted)
    return parts


def train(folder, model, *more):
    """Losses of six steps on seven pictures, and the weights that they end with."""
    rows = [Example(str(n), ImageSource("nowhere"), (WORDS[n % 4],), "train") for n in range(14)]
    settings = ["training.eval_strategy=no", "training.logging_steps=1", "training.report_to=[]"]
    settings += ["training.learning_rate=1e-3", "training.max_steps=6", "training.disable_tqdm=true"]
    settings += ["training.save_strategy=steps", "training.save_steps=3", "training.save_total_limit=3"]
    settings += ["training.per_device_train_batch_size=7", "training.gradient_accumulation_steps=1"]
    settings += ["model.precision=fp32"]
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    objective = Objective("wer", True, lambda hypotheses, references: {"wer": 1.0})
    recipe = load_recipe(overrides=[*settings, *more])
    nothing = Examples.from_rows([])
    fit(Task(recipe, model, Examples.from_rows(rows), nothing, Noise(), objective, run, lambda line: None))
    kept = [json.loads(line) for line in run.history.read_text().splitlines()]
    return [row["loss"] for row in kept if "loss" in row], load_file(
        run.checkpoints / "checkpoint-6/model.safetensors"
    )


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 2e-2)])
def test_training_with_them_is_the_same_training(precision, tolerance, used, tmp_path):
    with_them, _ = train(tmp_path / "replicas", git(), f"model.precision={precision}")
    assert used == [2] * 6
    torch.set_num_threads(1)
    without, _ = train(tmp_path / "model", git(), f"model.precision={precision}")
    assert used == [2] * 6
    assert with_them == pytest.approx(without, abs=tolerance)
    assert with_them[-1] < 0.9 * with_them[0], "it has learned nothing"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resumed_run_ends_bit_equal(precision, used, tmp_path):
    losses, weights = train(tmp_path, git(0.2), f"model.precision={precision}")
    shutil.rmtree(tmp_path / "checkpoints" / "checkpoint-6")
    again, resumed = train(tmp_path, git(0.2), f"model.precision={precision}")
    assert used == [2] * 9
    assert again == losses
    assert weights.keys() == resumed.keys()
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)


def test_when_memory_runs_out_a_step_is_done_in_smaller_parts(used, tmp_path):
    undisturbed, _ = train(tmp_path / "undisturbed", git())
    model = git()

    def three_at_most(module, args, inputs):
        if len(inputs["input_ids"]) > 3:
            raise MemoryError

    model.model.register_forward_pre_hook(three_at_most, with_kwargs=True)
    del used[:]
    losses, _ = train(tmp_path / "disturbed", model)
    assert used == [2] + [4] * 6
    assert losses == pytest.approx(undisturbed, abs=1e-5)
