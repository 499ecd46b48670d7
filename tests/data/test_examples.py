from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.data import Examples
from leyenda.errors import DataError
from leyenda.records import Example, ImageSource, Origin


def example(name: str, *captions: str, split: str | None = None, path: str = "") -> Example:
    return Example(name, ImageSource(path or f"/pictures/{name}", 3, 5), captions, split, Origin("a.csv", 2))


@pytest.fixture
def five() -> Examples:
    splits = ["test", "train", None, "zoo", "train"]
    return Examples.from_rows(
        (
            example(f"{number}.jpg", f"caption {number}", "two", split=split)
            for number, split in enumerate(splits)
        ),
        root="/pictures",
    )


def test_examples_come_back_as_they_went_in(five: Examples) -> None:
    assert five[1] == example("1.jpg", "caption 1", "two", split="train")
    assert (five[1].image, five[1].origin) == (ImageSource("/pictures/1.jpg", 3, 5), Origin("a.csv", 2))
    assert five[-1] == five[4]
    assert list(five) == [five[index] for index in range(5)]
    whole_file = Example("a", ImageSource("a"), ())
    assert Examples.from_rows([whole_file])[0].image == ImageSource("a", 0, None)


def test_an_index_outside_is_an_index_error(five: Examples) -> None:
    for index in (5, -6):
        with pytest.raises(IndexError):
            five[index]


def test_parts_of_examples(five: Examples) -> None:
    assert [each.id for each in five[1:3]] == ["1.jpg", "2.jpg"]
    assert [each.id for each in five[::-2]] == ["4.jpg", "2.jpg", "0.jpg"]
    assert [each.id for each in five.select([3, 0])] == ["3.jpg", "0.jpg"]
    assert len(five[3:1]) == len(five.select([])) == 0
    assert five[1:3].root == "/pictures"
    assert five[1:][0:1][0].id == "1.jpg"


def test_splits_in_their_order(five: Examples) -> None:
    assert list(five.splits().items()) == [("train", 2), ("test", 1), ("zoo", 1)]
    assert [each.id for each in five.split("train")] == ["1.jpg", "4.jpg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tets", "There is no split 'tets': the splits are train, test, zoo. Did you mean 'test'?"),
        ("other", "There is no split 'other': the splits are train, test, zoo."),
    ],
)
def test_an_absent_split_names_those_there_are(five: Examples, name: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        five.split(name)
    assert str(caught.value) == message


def test_new_splits_leave_the_old_examples_alone(five: Examples) -> None:
    changed = five.with_splits(["train", None, "test", "test", "test"])
    assert changed.splits() == {"train": 1, "test": 3}
    assert five.splits()["zoo"] == 1
    assert changed != five
    with pytest.raises(ValueError, match="1 splits for 5 examples"):
        five.with_splits(["train"])


def test_equality_is_by_rows(five: Examples) -> None:
    moved = Examples.from_rows(
        Example(each.id, ImageSource("elsewhere"), each.captions, each.split) for each in five
    )
    assert moved == five
    assert five[1:] != five[:-1]
    assert five.select([1, 0, 2, 3, 4]) != five


def test_captions_in_order_without_surrounding_space() -> None:
    examples = Examples.from_rows([example("a", "  a dog\n"), example("b", "", "a  cat\u00a0")])
    assert examples.captions() == ["a dog", "", "a  cat"]
    assert examples[1:].captions() == ["", "a  cat"]


def test_no_examples_at_all() -> None:
    none = Examples.from_rows([])
    assert (len(none), list(none), none.splits(), none.captions()) == (0, [], {}, [])


def test_one_picture_said_twice_is_one_example() -> None:
    rows = [example("a", "one"), example("b", "two"), example("a", "three", "four")]
    joined = Examples.from_rows(rows)
    assert [(each.id, each.captions) for each in joined] == [("a", ("one", "three", "four")), ("b", ("two",))]


def test_two_pictures_of_one_name_are_refused_unless_their_bytes_are_equal(tmp_path: Path) -> None:
    for name, data in {"x": b"same", "y": b"same", "z": b"other"}.items():
        (tmp_path / name).write_bytes(data)

    def named_a(name: str) -> Example:
        return Example("a.jpg", ImageSource(str(tmp_path / name)), (name,), origin=Origin(f"{name}.csv", 7))

    assert Examples.from_rows([named_a("x"), named_a("y")])[0].captions == ("x", "y")
    with pytest.raises(
        DataError, match=r"Two different pictures have the name 'a.jpg': x.csv:7 and z.csv:7\."
    ):
        Examples.from_rows([named_a("x"), named_a("z")])


def test_a_name_made_of_its_split_may_not_be_taken() -> None:
    rows = [
        example("a", "1", split="train"),
        example("a", "2", split="test"),
        example("train/a", "3", split="train"),
    ]
    with pytest.raises(DataError, match="have the name 'train/a'"):
        Examples.from_rows(rows)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3).filter(
    lambda name: name[:2] != "./"
)
captions = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3)


@given(st.lists(st.tuples(names, captions), max_size=30))
def test_joined_rows_are_what_a_dictionary_would_hold(rows: list[tuple[str, list[str]]]) -> None:
    expected: dict[str, list[str]] = {}
    for name, said in rows:
        expected.setdefault(name, []).extend(caption.strip() for caption in said)
    joined = Examples.from_rows(example(name, *said, path="/one") for name, said in rows)
    assert {each.id: list(each.captions) for each in joined} == expected
    assert [each.id for each in joined] == list(expected), "in the order of their first appearance"
    for index, each in enumerate(joined):
        for number in range(len(each.captions)):
            assert joined.caption_origin(index, number) == Origin("a.csv", 2)
