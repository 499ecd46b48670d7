"""What the model is shown: one caption at random per epoch, by seed; padding is never learned from."""

from collections import Counter

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.data.examples import Examples
from leyenda.records import Example, ImageSource
from leyenda.training.pairs import EpochSampler, Pairs, caption_of_epoch, collate
from leyenda.training.pictures import Pictures, usable


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return models.load(tiny_checkpoint, device="cpu")


@pytest.fixture
def examples(tmp_path):
    rows = []
    for number, captions in enumerate([("one", "two", "three"), ("four",), ("five", "", "six")]):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (40, 30), (number * 80, 50, 50)).save(path)
        rows.append(Example(path.name, ImageSource(str(path)), captions, "train"))
    return Examples.from_rows(rows)


def test_each_caption_once_per_lap_and_in_an_order_of_its_own():
    captions = ("a", "b", "c", "d")
    orders = set()
    for image in range(50):
        told = [caption_of_epoch(captions, f"{image}.jpg", epoch, seed=0) for epoch in range(8)]
        assert Counter(told) == dict.fromkeys(captions, 2)
        orders.add(tuple(told[:4]))
    assert len(orders) > 10, "all images show their captions in the same order"


def test_caption_depends_on_the_seed_and_on_nothing_else():
    captions = tuple("abcdefgh")
    assert [caption_of_epoch(captions, "x", 3, 0)] * 3 == [
        caption_of_epoch(captions, "x", 3, 0) for _ in range(3)
    ]
    assert len({caption_of_epoch(captions, "x", 3, seed) for seed in range(30)}) > 3


def test_one_or_all_captions(examples, model):
    one = Pairs(examples, model, Pictures(model), captions="one")
    assert len(one) == 3
    every = Pairs(examples, model, Pictures(model), captions="all")
    texts = [model.decode(every[(0, index)]["token_ids"]) for index in range(len(every))]
    assert texts == ["one", "two", "three", "four", "five", "six"]
    shown = {model.decode(one[(epoch, 2)]["token_ids"]) for epoch in range(6)}
    assert shown == {"five", "six"}, "an empty caption is never shown"


def test_brief_captions_only(examples, model):
    rows = [
        Example("0.png", examples[0].image, ("a b c d e", "f g", "h i j"), "train"),
        Example("1.png", examples[1].image, ("k l m n", "o p q r s"), "train"),
    ]
    brief = Pairs(Examples.from_rows(rows), model, Pictures(model), captions="all", max_words=3)
    told = [model.decode(brief[(0, index)]["token_ids"]) for index in range(len(brief))]
    assert told == ["f g", "h i j", "k l m n"]


def test_the_order_is_a_permutation_that_changes_with_epoch_and_seed():
    def order(seed, epoch):
        sampler = EpochSampler(20, seed)
        sampler.set_epoch(epoch)
        keys = list(sampler)
        assert {key[0] for key in keys} == {epoch}
        return tuple(index for _, index in keys)

    orders = {(seed, epoch): order(seed, epoch) for seed in (0, 1) for epoch in (0, 1, 2)}
    assert all(sorted(found) == list(range(20)) for found in orders.values())
    assert len(set(orders.values())) == 6
    assert order(1, 2) == orders[(1, 2)]


def test_long_captions_are_cut_but_keep_their_end(examples, model):
    long = Pairs(
        Examples.from_rows([Example("0.png", examples[0].image, ("dog " * 200,), "train")]),
        model,
        Pictures(model),
        max_tokens=10,
    )
    ids = long[(0, 0)]["token_ids"]
    assert len(ids) == 10
    assert ids[-1] == model.tokenizer.sep_token_id


def test_padding_changes_neither_loss_nor_gradient(model):
    torch.manual_seed(0)
    pixel_values = torch.rand(2, 3, 32, 32)
    ids = [[2, 10, 11, 12, 3], [2, 20, 3]]
    tight = collate(model, pixel_values, ids)
    assert tight["input_ids"].shape == (2, 5), "padded to the longest caption only"
    wide = {
        "pixel_values": pixel_values,
        "input_ids": torch.nn.functional.pad(tight["input_ids"], (0, 9), value=0),
        "attention_mask": torch.nn.functional.pad(tight["attention_mask"], (0, 9), value=0),
        "labels": torch.nn.functional.pad(tight["labels"], (0, 9), value=-100),
    }
    assert int((tight["labels"] != -100).sum()) == 4 + 2, "every word and every end, nothing else"
    losses, gradients = [], []
    for batch in (tight, wide):
        model.model.zero_grad()
        loss = model.model(**batch).loss
        loss.backward()
        losses.append(loss.item())
        gradients.append(model.model.output.weight.grad.clone())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


def test_pictures_are_kept_within_the_budget(examples, model):
    one_picture = 3 * 32 * 32 * 4
    pictures = Pictures(model, budget=2 * one_picture)
    first = [pictures.pixel_values(example) for example in examples]
    second = [pictures.pixel_values(example) for example in examples]
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_unusable_pictures_are_named_with_their_reason(tmp_path, examples, model):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    rows = [
        *examples,
        Example("broken.jpg", ImageSource(str(tmp_path / "broken.jpg")), ("x",), "train"),
        Example("absent.jpg", ImageSource(str(tmp_path / "absent.jpg")), ("x",), "train"),
        Example("silent.png", examples[0].image, ("",), "train"),
    ]
    kept, skipped = usable(Examples.from_rows(rows), Pictures(model))
    assert [example.id for example in kept] == ["0.png", "1.png", "2.png"]
    assert set(skipped) == {"broken.jpg", "absent.jpg", "silent.png"}
    assert skipped["absent.jpg"].code == "missing"
    assert skipped["silent.png"].code == "no_caption"
