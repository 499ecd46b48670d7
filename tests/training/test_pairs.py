"""What the model is shown: one caption at random per epoch, by seed; padding is never learned from."""

from collections import Counter

import pytest
import torch
from PIL import Image

from leyenda import models
from leyenda.data.examples import Examples
from leyenda.records import Example, ImageSource
from leyenda.training.pairs import EpochSampler, Pairs, caption_of_epoch, collate, pieces
from leyenda.training.pictures import Pictures


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
    assert (one.most_captions, every.most_captions) == (1, 3)
    assert [told(model, every, 0, index) for index in range(len(every))] == [
        ["one", "two", "three"],
        ["four"],
        ["five", "six"],
    ]
    shown = [told(model, one, epoch, 2) for epoch in range(6)]
    assert sorted(map(str, shown)) == ["['five']"] * 3 + ["['six']"] * 3, "an empty caption is never shown"


def told(model, pairs, epoch, index):
    """The captions of a picture, as a model is shown them."""
    (captions,) = pairs[(epoch, index)]["token_ids"]
    return [model.decode(ids) for ids in captions]


def test_a_batch_has_like_lengths_side_by_side_and_loses_nothing(tmp_path, model):
    Image.new("RGB", (40, 30)).save(tmp_path / "0.png")
    source = ImageSource(str(tmp_path / "0.png"))
    rows = [
        Example(f"{number}.png", source, ("dog " * (number * 7 % 10 + 1),), "train") for number in range(10)
    ]
    pairs = Pairs(Examples.from_rows(rows), model, Pictures(model))
    keys = list(EpochSampler(10, seed=0))
    batch = pairs.__getitems__(keys)
    lengths = [len(ids) for (ids,) in batch["token_ids"]]
    assert lengths == sorted(lengths, reverse=True)
    assert sorted(lengths) == sorted(len(pairs[key]["token_ids"][0][0]) for key in keys)
    parts = pieces(batch, 4)
    assert [len(part["token_ids"]) for part in parts] == [
        len(part["images"]["pixel_values"]) for part in parts
    ]
    assert [ids for part in parts for ids in part["token_ids"]] == batch["token_ids"]
    widths = [collate(model, part)["input_ids"].shape[1] for part in parts]
    assert widths == [max(lengths[start : start + 4]) for start in (0, 4, 8)]


def test_pictures_stay_with_their_captions(tmp_path, model):
    rows = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (32, 32), (number * 50, 0, 0)).save(path)
        rows.append(Example(path.name, ImageSource(str(path)), ("dog " * (number * 3 % 5 + 1),), "train"))
    pictures = Pictures(model)
    pairs = Pairs(Examples.from_rows(rows), model, pictures, augment=False)
    batch = pairs.__getitems__([(0, index) for index in (3, 1, 4, 0, 2)])
    for pixels, (ids,) in zip(batch["images"]["pixel_values"], batch["token_ids"], strict=True):
        (example,) = [row for row in rows if row.captions[0].strip() == model.decode(ids)]
        assert torch.equal(pixels, pictures.inputs([example])["pixel_values"][0])


def test_the_heaviest_picture_has_the_longest_captions(examples, model):
    rows = [*examples, Example("9.png", examples[0].image, ("dog", "dog " * 20), "train")]
    pairs = Pairs(Examples.from_rows(rows), model, Pictures(model))
    batch = pairs.heaviest(2)
    assert [[len(ids) for ids in captions] for captions in batch["token_ids"]] == [[22], [22]]
    assert len(batch["images"]["pixel_values"]) == 2
    every = Pairs(Examples.from_rows(rows), model, Pictures(model), captions="all").heaviest(1)
    assert [len(ids) for ids in every["token_ids"][0]] == [3, 22]


def test_brief_captions_only(examples, model):
    rows = [
        Example("0.png", examples[0].image, ("a b c d e", "f g", "h i j"), "train"),
        Example("1.png", examples[1].image, ("k l m n", "o p q r s"), "train"),
    ]
    brief = Pairs(Examples.from_rows(rows), model, Pictures(model), captions="all", max_words=3)
    assert [told(model, brief, 0, index) for index in range(len(brief))] == [["f g", "h i j"], ["k l m n"]]


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
    ((ids,),) = long[(0, 0)]["token_ids"]
    assert len(ids) == 10
    assert ids[-1] == model.tokenizer.sep_token_id


def test_padding_changes_neither_loss_nor_gradient(model):
    torch.manual_seed(0)
    pixel_values = torch.rand(2, 3, 32, 32)
    ids = [[[2, 10, 11, 12, 3]], [[2, 20, 3]]]
    tight = collate(model, {"images": {"pixel_values": pixel_values}, "token_ids": ids})
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
