from __future__ import annotations

import errno
import os
import tarfile
from pathlib import Path

import pytest

from leyenda.data import Examples, convert, load_examples
from leyenda.errors import DataError, DiskError
from leyenda.records import Example, ImageSource


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(f"bytes of {name}".encode())
    (folder / "captions.csv").write_text("image,caption\na.jpg,a dog\na.jpg,a brown dog\nb.jpg,a cat\n")
    return folder


def example(path: Path, name: str, *captions: str, split: str | None = None) -> Example:
    return Example(name, ImageSource(str(path)), captions, split)


def left_over(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if path.name != "source")


def test_summary_of_what_was_written(source: Path, tmp_path: Path) -> None:
    said = convert(load_examples(source).with_splits(["train", "test"]), tmp_path / "out", "coco")
    assert (said.output, said.format) == (tmp_path / "out", "coco")
    assert (said.images, said.captions, said.splits) == (2, 3, {"train": 1, "test": 1})


def test_an_output_that_exists_is_refused_and_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep me")
    with pytest.raises(DataError, match=r"out exists already\. Name a new folder"):
        convert(load_examples(source), tmp_path / "out", "csv")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
    (tmp_path / "out" / "mine").unlink()
    convert(load_examples(source), tmp_path / "out", "csv")
    assert (tmp_path / "out" / "captions.csv").is_file()


@pytest.mark.parametrize(
    ("format_", "copy", "message"),
    [
        ("hub", "copy", "The format 'hub' is read only. Choose one of: "),
        ("jsnol", "copy", "There is no data format 'jsnol'. Did you mean 'jsonl'"),
        ("csv", "lnk", "Pictures can be copy or link, not 'lnk'. Did you mean 'link'?"),
    ],
)
def test_wrong_arguments(source: Path, tmp_path: Path, format_: str, copy: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        convert(load_examples(source), tmp_path / "out", format_, copy=copy)
    assert message in str(caught.value)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("format_", ["csv", "parquet", "webdataset", "sidecar"])
def test_a_missing_picture_leaves_nothing_behind(source: Path, tmp_path: Path, format_: str) -> None:
    examples = load_examples(source)
    (source / "b.jpg").unlink()
    with pytest.raises(
        DataError, match=r"The picture 'b.jpg' \(\S+captions.csv:4\) cannot be read: No such file"
    ):
        convert(examples, tmp_path / "out", format_)
    assert left_over(tmp_path) == []


def test_a_row_without_a_picture_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (source / "captions.csv").write_text("image,caption\n,a dog\n")
    with pytest.raises(DataError, match=r"captions.csv:2 names no picture\..* leyenda data check"):
        convert(load_examples(source), tmp_path / "out", "jsonl")
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("name", ["../escaped.jpg", "a/../../escaped.jpg", "/tmp/escaped.jpg"])
@pytest.mark.parametrize("format_", ["csv", "imagefolder", "coco", "sidecar", "webdataset"])
def test_names_are_data_and_lead_nowhere(source: Path, tmp_path: Path, name: str, format_: str) -> None:
    outside = Examples.from_rows([example(source / "a.jpg", name, "a dog")])
    with pytest.raises(DataError, match="leads out of the folder"):
        convert(outside, tmp_path / "deep" / "out", format_)
    assert list(tmp_path.rglob("escaped*")) == []
    assert not (tmp_path / "deep" / "out").exists()


def test_tar_members_stay_in_their_tar(source: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for name in ("../../evil.jpg", "../../evil.txt"):
            tar.add(source / "a.jpg", name)
    examples = load_examples(tmp_path / "evil.tar")
    assert examples[0].image.read() == b"bytes of a.jpg"
    with pytest.raises(DataError, match="leads out of the folder"):
        convert(examples, tmp_path / "out", "csv")
    assert list(tmp_path.parent.rglob("evil.jpg")) == []


UNSAYABLE = {
    "a caption of two lines": ("sidecar", "a.jpg", ("one\ntwo",), None, "its captions or its split"),
    "an empty caption among others": ("sidecar", "a.jpg", ("one", ""), None, "its captions or its split"),
    "a name without an ending": ("sidecar", "a", ("one",), None, "cannot say what is"),
    "no caption in a token file": ("flickr8k", "a.jpg", (), None, "cannot say what is"),
    "a split of one's own": ("webdataset", "a.jpg", ("one",), "zoo", "cannot say the split 'zoo'"),
    "a folder that reads as a split": ("sidecar", "test/a.jpg", ("one",), None, "its name"),
}


@pytest.mark.parametrize("case", UNSAYABLE)
def test_what_a_format_cannot_say_is_an_error_and_not_a_loss(source: Path, tmp_path: Path, case: str) -> None:
    format_, name, captions, split, message = UNSAYABLE[case]
    examples = Examples.from_rows([example(source / "a.jpg", name, *captions, split=split)])
    with pytest.raises(DataError) as caught:
        convert(examples, tmp_path / "out", format_)
    assert message in str(caught.value)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    "format_", ["csv", "tsv", "jsonl", "parquet", "saved-dataset", "webdataset", "coco", "karpathy"]
)
def test_odd_captions_survive(source: Path, tmp_path: Path, format_: str) -> None:
    captions = [
        ("two\nlines", 'a "quote", a comma; a\ttab', ""),
        ("[not a list", '["a list"]', "[]", "['python']", "null", "5"),
        (),
        ("",),
        ("=1+1", "\u2028", "犬\U0001f415", "trailing\\"),
    ]
    examples = Examples.from_rows(
        example(source / "a.jpg", f"{number}.jpg", *said) for number, said in enumerate(captions)
    )
    convert(examples, tmp_path / "out", format_)
    assert load_examples(tmp_path / "out") == examples


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "saved-dataset", "karpathy", "imagefolder"])
def test_any_split_or_none_survives(source: Path, tmp_path: Path, format_: str) -> None:
    splits = ["zoo", None, "train", "test", "validation"]
    examples = Examples.from_rows(
        example(source / "a.jpg", f"{number}.jpg", "x", split=split) for number, split in enumerate(splits)
    )
    convert(examples, tmp_path / "out", format_)
    read = load_examples(tmp_path / "out")
    assert {each.id: each.split for each in read} == {each.id: each.split for each in examples}


def test_links_share_the_picture(source: Path, tmp_path: Path) -> None:
    convert(load_examples(source), tmp_path / "out", "csv", copy="link")
    assert (tmp_path / "out" / "images" / "a.jpg").samefile(source / "a.jpg")
    convert(load_examples(source), tmp_path / "copied", "csv")
    assert not (tmp_path / "copied" / "images" / "a.jpg").samefile(source / "a.jpg")


def test_two_names_for_one_file_are_refused(source: Path, tmp_path: Path) -> None:
    clash = Examples.from_rows(
        [example(source / "a.jpg", "x//a.jpg", "1"), example(source / "b.jpg", "x/a.jpg", "2")]
    )
    with pytest.raises(DataError, match=r"Two pictures would be written to one file, 'a.jpg'"):
        convert(clash, tmp_path / "out", "csv")
    assert left_over(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskError, match="The disk is full"):
        convert(load_examples(source), tmp_path / "out", "csv")
    assert left_over(tmp_path) == []


def test_pictures_named_by_their_whole_path_are_named_by_their_place_in_the_folder(
    source: Path, tmp_path: Path
) -> None:
    rows = "".join(f"{source / name},a dog\n" for name in ("a.jpg", "b.jpg"))
    (source / "captions.csv").write_text("image,caption\n" + rows)
    examples = load_examples(source / "captions.csv")
    assert examples.ids() == ["a.jpg", "b.jpg"]
    convert(examples, tmp_path / "out", "jsonl")
    assert load_examples(tmp_path / "out").ids() == ["a.jpg", "b.jpg"]
