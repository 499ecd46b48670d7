"""Splits stay put: no image moves because others come or go."""

import csv
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leyenda.data.examples import Examples
from leyenda.data.splits import assign_splits, describe_splits, write_splits
from leyenda.errors import DataError, DiskError
from leyenda.records import Example, ImageSource

names = st.lists(st.text("abñ日/_-01", min_size=1, max_size=5), unique=True, max_size=25)
shares = st.tuples(st.floats(0, 0.49), st.floats(0, 0.49))
given_splits = st.sampled_from([None, "train", "validation", "test", "extra"])


def examples(ids, splits=None) -> Examples:
    splits = splits or [None] * len(ids)
    rows = (
        Example(name, ImageSource(f"/in/{name}"), ("one", "two"), split)
        for name, split in zip(ids, splits, strict=True)
    )
    return Examples.from_rows(rows)


def split_of(divided: Examples) -> dict[str, str]:
    return {example.id: example.split for example in divided}


@given(names, names, shares, st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_adding_and_removing_images_moves_no_other(some, more, share, seed):
    how = {"validation": share[0], "test": share[1], "seed": seed}
    before = split_of(assign_splits(examples(some), **how))
    after = split_of(assign_splits(examples(list(dict.fromkeys(more + some))), **how))
    assert {name: after[name] for name in before} == before


@given(names, st.data(), shares)
@settings(max_examples=25, deadline=None)
def test_every_image_gets_a_split_and_given_ones_are_kept(ids, data, share):
    splits = [data.draw(given_splits) for _ in ids]
    divided = assign_splits(examples(ids, splits), validation=share[0], test=share[1])
    assert [example.id for example in divided] == ids
    for split, example in zip(splits, divided, strict=True):
        if split == "train":
            assert example.split in {"train"} | ({"validation", "test"} - set(splits))
        elif split:
            assert example.split == split
        assert example.split is not None
        assert example.captions == ("one", "two")


@given(names, shares)
@settings(max_examples=20, deadline=None)
def test_a_larger_share_only_takes_from_train(ids, share):
    small = split_of(assign_splits(examples(ids), validation=share[0] / 2, test=share[1]))
    large = split_of(assign_splits(examples(ids), validation=share[0], test=share[1]))
    for name, split in small.items():
        assert large[name] == split or (split, large[name]) == ("train", "validation")


def test_sizes_are_near_the_shares():
    sizes = assign_splits(examples([f"{n}.jpg" for n in range(10_000)]), validation=0.05, test=0.2).splits()
    # Binomial: standard deviations are 22 and 40 images; five of them.
    assert abs(sizes["validation"] - 500) < 110
    assert abs(sizes["test"] - 2000) < 200
    assert sum(sizes.values()) == 10_000


def test_another_seed_gives_other_splits():
    ids = [f"{n}.jpg" for n in range(500)]
    one, other = (split_of(assign_splits(examples(ids), seed=seed)) for seed in (0, 1))
    assert one != other


def test_the_same_in_every_process():
    program = (
        "from leyenda.data.splits import assign_splits; from leyenda.data.examples import Examples;"
        "from leyenda.records import Example, ImageSource;"
        "rows = [Example(f'{n}.jpg', ImageSource(f'/{n}'), ()) for n in range(30)];"
        "print([e.split for e in assign_splits(Examples.from_rows(rows))])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("source", "kept", "made"),
    [
        (["train"], set(), {"validation", "test"}),
        (["train", "test"], {"test"}, {"validation"}),
        (["train", "validation"], {"validation"}, {"test"}),
        (["train", "validation", "test"], {"train", "validation", "test"}, set()),
        (["test"], {"test"}, set()),
    ],
)
def test_what_the_source_lacks_is_taken_out_of_its_train(source, kept, made):
    ids = [f"{n}.jpg" for n in range(400)]
    given = [source[n % len(source)] for n in range(400)]
    before = examples(ids, given)
    after = assign_splits(before)
    for name in kept:
        assert after.split(name).ids() == before.split(name).ids()
    assert set(after.splits()) == set(source) | made
    for name in made:
        assert set(after.split(name).ids()) <= set(before.split("train").ids())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"test": -0.1}, "not -0.1"),
        ({"test": 1.0}, "less than 1"),
        ({"validation": float("nan")}, "not nan"),
        ({"validation": 0.5, "test": 0.5}, "nothing to train on"),
    ],
)
def test_shares_that_make_no_sense(how, words):
    with pytest.raises(DataError, match=words):
        assign_splits(examples(["a"]), **how)


def test_no_share_no_split():
    assert assign_splits(examples([f"{n}" for n in range(50)]), validation=0, test=0).splits() == {
        "train": 50
    }


def test_words_about_the_sizes():
    divided = examples(["a", "b", "c", "d"], ["train", "train", "train", "test"])
    assert describe_splits(divided, validation=0.1, test=0.3) == (
        "train: 3 images (75.0 %); test: 1 image (25.0 %, asked for 30 %); "
        "validation: 0 images (0.0 %, asked for 10 %)"
    )


def test_splits_as_a_file(tmp_path):
    divided = examples(["a,b.jpg", 'ñ".jpg'], ["train", "test"])
    write_splits(divided, tmp_path / "splits.csv")
    with open(tmp_path / "splits.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["id", "split"], ["a,b.jpg", "train"], ['ñ".jpg', "test"]]
    assert [path.name for path in tmp_path.iterdir()] == ["splits.csv"]
    with pytest.raises(DiskError, match="cannot be written"):
        write_splits(divided, tmp_path / "none" / "splits.csv")
