"""Reward training: what is drawn, what it is worth, what is learned from it; and that nothing else decides it."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file
from tests.fakes.coloured_shapes import write_coloured_shapes
from tests.fakes.noise import Noise
from tests.models.conftest import (
    bert_tokenizer,
    blip,
    log_probabilities,
    make_some_captions_end,
    vision_encoder_decoder,
)

from leyenda import models
from leyenda.cli import main
from leyenda.config import load_recipe
from leyenda.data.examples import Examples
from leyenda.errors import RecipeError
from leyenda.jobs.rewards import reward_of
from leyenda.models import GenerationSettings
from leyenda.records import Example, ImageSource
from leyenda.training.batch_size import measure_need
from leyenda.training.fitting import Objective, Task, fit
from leyenda.training.pairs import Pairs, collate, pieces
from leyenda.training.run_folder import RunFolder
from leyenda.training.self_critical import SelfCritical, advantages

WORDS = ["a red dog", "two blue birds over a house", "the cat sleeps", "one boat on a wide green lake"]
PICTURES = 6
CAPTIONS = 3
LONGEST = 9
SEED = 42 * 1_000_003
"""Of the first step of a run whose seed is the usual one."""

STEP = 1e4
"""A learning rate so large that the weights' change is the gradient, and not what rounding leaves of it."""


def examples(count=PICTURES):
    source = ImageSource("nowhere")
    return Examples.from_rows(
        [
            Example(str(number), source, (WORDS[number % 4], "", WORDS[number % 3]), "train")
            for number in range(count)
        ]
    )


def git(fast=True):
    torch.set_num_threads(1)
    model = models.create("tiny", WORDS * 3, seed=7, device="cpu", fast=fast)
    with torch.no_grad():  # so that some captions end early, some late, and some not at all
        model.model.output.bias[model.tokenizer.sep_token_id] += 3.0
    return model


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Checkpoints of the families that `transformers` alone computes."""
    found = {}
    for kind, build in (("blip", blip), ("vision-encoder-decoder", vision_encoder_decoder)):
        torch.manual_seed(3)
        model, parts = build(bert_tokenizer())
        make_some_captions_end(model, kind)
        found[kind] = tmp_path_factory.mktemp(kind)
        for part in (model, *parts):
            part.save_pretrained(found[kind])
    return found


def length_of(captions, references):
    """A reward that needs no references: brief captions are good."""
    return [-0.1 * len(caption) for caption in captions]


def train(folder, *overrides, model=None, reward=length_of, talk=None, count=PICTURES, images=None):
    """The rows of the history."""
    settings = ["training.eval_strategy=no", "training.logging_steps=1", "training.report_to=[]"]
    settings += ["model.precision=fp32", "model.dropout=0", "training.disable_tqdm=true"]
    settings += ["training.per_device_train_batch_size=3", "training.gradient_accumulation_steps=2"]
    settings += [f"reward.captions={CAPTIONS}", f"evaluation.max_length={LONGEST}", "reward.scores={wer: 1}"]
    recipe = load_recipe(overrides=[*settings, *overrides])
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    objective = Objective("wer", True, lambda hypotheses, references: {"wer": 1.0})
    task = Task(
        recipe,
        model or git(),
        examples(count),
        Examples.from_rows([]),
        images or Noise(),
        objective,
        run,
        talk or (lambda line: None),
        reward=reward,
    )
    fit(task)
    return [json.loads(line) for line in run.history.read_text().splitlines()]


ONE_STEP = (
    "training.max_steps=1",
    "training.optim=sgd",
    f"training.learning_rate={STEP}",
    "training.max_grad_norm=0",
)


def gradients_of_a_run(folder, model, *overrides, reward=length_of):
    """What the first step of a run changes in each weight, over the learning rate."""
    before = {name: weight.detach().clone() for name, weight in model.model.named_parameters()}
    train(folder, *ONE_STEP, *overrides, model=model, reward=reward)
    after = dict(model.model.named_parameters())
    return {name: (before[name] - after[name].detach()) / STEP for name in before}


def drawn(model):
    """For each picture the ids and the texts of its captions, in the first step."""
    settings = GenerationSettings(sample=True, seed=SEED, max_length=LONGEST)
    return model.draw(CAPTIONS, settings, **Noise().inputs(examples()))


def expected_gradients(model, captions):
    """Of minus the sum of log-probabilities times advantages, over the number of captions; written out by hand."""
    total = 0.0
    for picture, of_picture in zip(Noise().inputs(examples())["pixel_values"], captions, strict=True):
        rewards = length_of([one.text for one in of_picture], None)
        for number, one in enumerate(of_picture):
            others = [reward for other, reward in enumerate(rewards) if other != number]
            advantage = rewards[number] - sum(others) / len(others)
            total = total - (log_probabilities(model, picture, one.token_ids) * advantage).sum()
    (total / (PICTURES * CAPTIONS)).backward()
    return {
        name: torch.zeros_like(weight) if weight.grad is None else weight.grad
        for name, weight in model.named_parameters()
    }


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["fast git", "plain git", "blip", "vision-encoder-decoder"])
def test_the_gradient_is_that_of_the_words_times_their_advantages(kind, smoothing, folders, tmp_path):
    """And no word is smoothed, in reward training."""
    if kind in folders:
        model, reference = (models.load(folders[kind], device="cpu", dtype=torch.float32) for _ in range(2))
    else:
        model, reference = git(fast=kind == "fast git"), git(fast=False)
    captions = drawn(model)
    ends = set(model.family.end_token_ids(model.model))
    assert {one.token_ids[-1] in ends for each in captions for one in each} == {True, False}
    assert len({len(one.token_ids) for each in captions for one in each}) > 3
    expected = expected_gradients(reference.model, captions)
    smooth = f"training.label_smoothing_factor={smoothing}"
    found = gradients_of_a_run(tmp_path, model, smooth, f"model.fast={kind == 'fast git'}")
    assert found.keys() == expected.keys()
    size = torch.stack([gradient.norm() for gradient in expected.values()]).norm()
    difference = torch.stack([(found[name] - expected[name]).norm() for name in expected]).norm()
    assert size > 1e-3
    assert difference <= 1e-4 * size


def test_every_step_and_every_seed_draws_anew(tmp_path):
    asked = []

    def reward(captions, references):
        asked.append(sorted(captions))
        return length_of(captions, references)

    still = ("training.max_steps=3", "training.learning_rate=0")
    train(tmp_path / "one", *still, reward=reward)
    train(tmp_path / "again", *still, reward=reward)
    train(tmp_path / "other", *still, "training.seed=43", reward=reward)
    assert asked[:3] == asked[3:6]
    assert len({tuple(captions) for captions in asked}) == 6


@pytest.mark.parametrize("at_a_time", [(1, 6), (2, 3), (6, 1)])
def test_pieces_of_any_size_give_the_same_gradients(at_a_time, tmp_path):
    pictures, times = at_a_time
    size = [
        f"training.per_device_train_batch_size={pictures}",
        f"training.gradient_accumulation_steps={times}",
    ]
    found = gradients_of_a_run(tmp_path / "other", git(), *size)
    expected = gradients_of_a_run(tmp_path / "usual", git())
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_advantages_are_over_the_others_and_sum_to_nothing():
    rewards = [0.3, -1.0, 2.0, 0.5, 0.5, 0.5, 9.0, 0.0, 0.0, 1.0]
    found = advantages(rewards, 5)
    assert [len(row) for row in found] == [5, 5]
    for row, first in zip(found, (0, 5), strict=True):
        assert sum(row) == pytest.approx(0.0, abs=1e-12)
        for number, advantage in enumerate(row):
            others = [one for place, one in enumerate(rewards[first : first + 5]) if place != number]
            assert advantage == pytest.approx(rewards[first + number] - sum(others) / 4)


def batch_of(model, count=PICTURES):
    pairs = Pairs(examples(count), model, Noise())
    return pairs.__getitems__([(0, index) for index in range(count)])


def self_critical(reward=length_of):
    return SelfCritical(reward, "length", 0, CAPTIONS, LONGEST)


def test_what_is_drawn_follows_from_seed_and_picture_and_not_from_pieces():
    model, chance = git(), torch.get_rng_state()
    batch = batch_of(model)
    whole = self_critical().drawn(model, batch, PICTURES, seed=5)
    assert torch.equal(torch.get_rng_state(), chance), "the state that dropout draws from has moved"
    for size in (1, 4):
        assert self_critical().drawn(model, batch, size, seed=5) == whole
    assert (
        self_critical().drawn(model, batch, PICTURES, seed=6).batch["token_ids"] != whole.batch["token_ids"]
    )
    for captions in whole.batch["token_ids"]:
        assert len({tuple(ids) for ids in captions}) == CAPTIONS
    # A process with no part in a step.
    empty = self_critical().drawn(model, Pairs(examples(), model, Noise()).__getitems__([]), 4, seed=5)
    assert (empty.batch["token_ids"], empty.rewards) == ([], ())


@pytest.mark.parametrize("training", [True, False])
def test_captions_are_drawn_without_dropout_and_the_model_is_left_as_it_was(training):
    model = git()
    for module in model.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    model.model.train(training)
    batch = batch_of(model)
    assert self_critical().drawn(model, batch, 3, seed=5) == self_critical().drawn(model, batch, 3, seed=5)
    assert model.model.training is training


def test_contrast_takes_off_what_a_caption_would_get_beside_other_pictures():
    def shared_words(captions, references):
        return [
            float(len(set(caption.split()) & set(" ".join(told).split())) + len(caption))
            for caption, told in zip(captions, references, strict=True)
        ]

    model = git()
    batch = batch_of(model)
    plain = SelfCritical(shared_words, "words", 0, CAPTIONS, LONGEST)
    contrasted = SelfCritical(shared_words, "words", 0, CAPTIONS, LONGEST, contrast=0.5)
    usual, found = (one.drawn(model, batch, PICTURES, seed=5) for one in (plain, contrasted))
    assert found.rewards == usual.rewards  # what is shown is the score itself
    assert found.batch["token_ids"] == usual.batch["token_ids"]
    references = batch["references"]
    for picture, (ids, weights) in enumerate(
        zip(found.batch["token_ids"], found.batch["weights"], strict=True)
    ):
        texts = [model.decode(one) for one in ids]
        worth = []
        for text in texts:
            own, *others = (
                shared_words([text], [references[(picture + turn) % PICTURES]])[0] for turn in range(4)
            )
            worth.append(own - 0.5 * sum(others) / 3)
        assert weights == pytest.approx(advantages(worth, CAPTIONS)[0])
    alone = batch_of(model, 1)
    assert contrasted.drawn(model, alone, 1, seed=5) == plain.drawn(model, alone, 1, seed=5)


def test_a_reward_is_given_every_caption_with_all_that_people_wrote():
    asked = []

    def reward(captions, references):
        asked.append((list(captions), [tuple(each) for each in references]))
        return [1.0] * len(captions)

    model = git()
    batch = batch_of(model)
    part = self_critical(reward).drawn(model, batch, 2, seed=5)
    ((captions, references),) = asked
    # In the batch's order, which is by length; an empty caption is no reference, whatever the epoch shows.
    shown = [model.decode(ids) for (ids,) in batch["token_ids"]]
    for number, words in enumerate(shown):
        told = references[number * CAPTIONS : (number + 1) * CAPTIONS]
        assert len(set(told)) == 1
        assert len(told[0]) == 2
        assert words in told[0]
    ids = [ids[1:] for each in part.batch["token_ids"] for ids in each]
    assert captions == [model.decode(one) for one in ids]
    assert part.batch["weights"] == [[0.0] * CAPTIONS] * PICTURES


def test_pieces_and_padding_keep_each_weight_with_its_words():
    for model in (git(), git(fast=False)):
        batch = batch_of(model, 5)
        lengths = [[3, 5, 4], [6, 3, 3], [4, 4, 4], [7, 3, 5], [3, 3, 3]]
        batch["token_ids"] = [
            [[2, *[9] * (length - 2), 3] for length in of_picture] for of_picture in lengths
        ]
        batch["weights"] = [[row + 0.25, -row - 0.5, row + 0.75] for row in range(5)]
        first, second, third = pieces(batch, 2)
        assert [len(part["references"]) for part in (first, second, third)] == [2, 2, 1]
        inputs = collate(model, second)
        counted = inputs["weights"][inputs["labels"] != -100].tolist()
        expected = [2.25] * 3 + [-2.5] * 3 + [2.75] * 3 + [3.25] * 6 + [-3.5] * 2 + [3.75] * 4
        assert counted == expected
        assert inputs["weights"][inputs["labels"] == -100].abs().sum() == 0


def test_reward_steps_raise_the_reward(tmp_path):
    """Behind a little training on people's captions, so that some that are drawn are better than others."""
    settings = ["training.num_train_epochs=60", "reward.from_epoch=30", "reward.captions=8"]
    settings += ["training.learning_rate=2e-3", "training.lr_scheduler_type=constant"]
    rows = train(tmp_path, *settings, reward=reward_of({"wer": 1}, []))
    rewards = [row["reward"] for row in rows if "reward" in row]
    assert len(rewards) == 30
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.3


def test_until_its_epoch_a_run_learns_from_people(tmp_path):
    usual = train(tmp_path / "usual", "training.num_train_epochs=4", "reward.scores={}", count=11)
    told = []
    mixed = ["training.num_train_epochs=4", "reward.from_epoch=2"]
    rows = train(tmp_path / "mixed", *mixed, count=11, talk=told.append)
    # Two steps an epoch: one on 6 pictures, one on the other 5.
    assert [row["loss"] for row in rows[:4]] == [row["loss"] for row in usual[:4]]
    assert [("reward" in row) for row in rows if "loss" in row] == [False] * 4 + [True] * 4
    (line,) = [line for line in told if "Reward training" in line]
    assert "from step 5 on" in line
    assert f"{CAPTIONS} captions of each picture" in line
    assert "by wer" in line


def test_the_mean_reward_is_that_of_the_captions(tmp_path):
    given = []

    def reward(captions, references):
        given.append([float(len(given) + number) for number in range(len(captions))])
        return given[-1]

    rows = train(tmp_path, "training.max_steps=4", "training.logging_steps=2", reward=reward)
    means = [sum(each) / len(each) for each in given]
    assert [row["reward"] for row in rows if "reward" in row] == pytest.approx(
        [(means[0] + means[1]) / 2, (means[2] + means[3]) / 2]
    )


@pytest.mark.parametrize("learning", [False, True], ids=["drawing", "learning"])
def test_when_memory_runs_out_the_same_captions_are_learned(learning, tmp_path):
    asked = {"usual": [], "scarce": []}

    def reward_into(name):
        def reward(captions, references):
            asked[name].append(list(captions))
            return length_of(captions, references)

        return reward

    expected = gradients_of_a_run(tmp_path / "usual", git(), reward=reward_into("usual"))
    model, told = git(), []
    encode = model.model.encode_images

    def scarce(pixel_values):
        if model.model.training is learning and len(pixel_values) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return encode(pixel_values)

    model.model.encode_images = scarce
    before = {name: weight.detach().clone() for name, weight in model.model.named_parameters()}
    train(tmp_path / "scarce", *ONE_STEP, model=model, reward=reward_into("scarce"), talk=told.append)
    assert len([line for line in told if "Memory ran out at step 1" in line]) == 2  # 3, 2, 1
    assert asked["scarce"] == asked["usual"]
    for name, weight in model.model.named_parameters():
        found = (before[name] - weight.detach()) / STEP
        torch.testing.assert_close(found, expected[name], rtol=1e-4, atol=1e-6)


def test_memory_is_measured_for_the_captions_that_may_be_drawn():
    model = git()
    model.model.train()
    plain, drawing = (
        Pairs(examples(), model, Noise(), drawn=drawn) for drawn in ((0, 0), (CAPTIONS, 1 + LONGEST))
    )
    heaviest = drawing.heaviest(2)
    assert [[len(ids) for ids in captions] for captions in heaviest["token_ids"]] == [[10] * 3] * 2
    # Where people write more than is drawn, theirs is what counts.
    assert [len(ids) for ids in plain.heaviest(1)["token_ids"][0]] > [4]
    brief = Pairs(examples(), model, Noise(), drawn=(2, 2)).heaviest(1)
    assert brief["token_ids"] == plain.heaviest(1)["token_ids"]
    needs = [measure_need(model, pairs, torch.enable_grad) for pairs in (plain, drawing)]
    assert needs[1].picture > 1.2 * needs[0].picture


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["training.num_train_epochs=3", "reward.from_epoch=3"],
            ["after 3 epochs", "ends after 3", "--epochs 5"],
        ),
        (["training.max_steps=2", "reward.from_epoch=7"], ["after 7 epochs", "ends after 2"]),
    ],
)
def test_rewards_that_would_never_begin_are_refused(overrides, words, tmp_path):
    with pytest.raises(RecipeError) as refused:
        train(tmp_path, *overrides)
    assert all(word in str(refused.value) for word in words)


def test_rewards_that_begin_in_the_last_part_of_an_epoch_are_not_refused(tmp_path):
    rows = train(tmp_path, "training.num_train_epochs=1.5", "reward.from_epoch=1", count=12)
    assert [("reward" in row) for row in rows if "loss" in row] == [False, False, True]


def test_a_fast_model_weighs_words_only_where_it_computes_the_loss():
    model = git().model
    with pytest.raises(ValueError, match="weights need input_ids and labels"):
        model(
            input_ids=torch.tensor([[2, 5]]), pixel_values=torch.zeros(1, 3, 32, 32), weights=torch.ones(1, 2)
        )


@pytest.mark.parametrize(
    "more",
    [
        ("--freeze", "image_encoder", "--precision", "bf16", "--set", "model.average=0.9"),
        ("--precision", "bf16", "--set", "data.augment=true", "--set", "data.captions=all"),
        ("--freeze", "image_encoder", "--set", "data.augment=true", "--set", "model.fast=false"),
    ],
    ids=["frozen and averaged, bf16", "augmented, bf16", "plain"],
)
def test_from_the_command_line_with_what_else_a_run_can_have(more, tmp_path, capsys):
    torch.set_num_threads(1)
    (tmp_path / "shapes").mkdir()
    write_coloured_shapes(tmp_path / "shapes", 20, "one {shape} painted {colour}")
    run = tmp_path / "run"
    words = [
        "train",
        str(tmp_path / "shapes"),
        "--output",
        str(run),
        "--from-scratch",
        "tiny",
        "--device",
        "cpu",
    ]
    words += [
        "--epochs",
        "2",
        "--reward",
        "wer,cider_d=0.3",
        "--set",
        "reward.from_epoch=1",
        "--set",
        "reward.captions=2",
    ]
    words += ["--set", "evaluation.max_length=6", "--set", "training.logging_steps=1", "--validation", "0.2"]
    words += [
        "--batch-size",
        "4",
        "--set",
        "training.gradient_accumulation_steps=2",
        "--set",
        "training.report_to=[]",
    ]
    assert main([*words, *more]) == 0, capsys.readouterr().err
    said = capsys.readouterr().err
    assert said.count("Reward training from step 3 on") == 1
    assert "wer and cider_d (times 0.3)" in said
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [("reward" in row) for row in rows if "loss" in row] == [False, False, True, True]
    assert all(
        torch.isfinite(weight).all() for weight in load_file(run / "model" / "model.safetensors").values()
    )
    assert "reward" in (run / "report.html").read_text()
