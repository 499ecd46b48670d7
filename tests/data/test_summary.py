"""Numbers about a data set, against ones counted by hand."""

import json

import pytest
from PIL import Image

from leyenda.data.examples import Examples
from leyenda.data.summary import Spread, summarize, words_of
from leyenda.records import Example, ImageSource


@pytest.fixture
def examples(tmp_path) -> Examples:
    Image.new("RGB", (100, 50)).save(tmp_path / "a.jpg")
    Image.new("RGB", (300, 200)).save(tmp_path / "b.png")
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    Image.new("RGB", (400, 200)).save(tmp_path / "c.jpg", exif=exif)
    (tmp_path / "d.jpg").write_bytes(b"")
    captions = {
        "a.jpg": ("A dog runs.", "a brown dog"),
        "b.png": ("Don't stop!",),
        "c.jpg": ("El niño, el perro", "dog"),
        "d.jpg": (),
    }
    return Examples.from_rows(
        Example(name, ImageSource(str(tmp_path / name)), texts, "train" if name < "c" else None)
        for name, texts in captions.items()
    )


def test_counts(examples):
    summary = summarize(examples)
    assert (summary.images, summary.captions, summary.unreadable) == (4, 5, 1)
    assert summary.splits == {"train": 2}
    assert summary.captions_per_image == {0: 1, 1: 1, 2: 2}
    assert summary.words == Spread(1, 2.6, 3, 4)  # 3, 3, 2, 4, 1
    # a, dog, runs, brown, don't, stop, el, niño, perro
    assert summary.vocabulary == 9
    assert list(summary.frequent_words.items())[:3] == [("dog", 3), ("a", 2), ("el", 2)]
    assert summary.width == Spread(100, 200.0, 200, 300)
    assert summary.height == Spread(50, pytest.approx(650 / 3), 200, 400)
    assert summary.formats == {"JPEG": 2, "PNG": 1}


def test_json_says_the_same(examples):
    summary = summarize(examples)
    document = json.loads(json.dumps(summary.as_json()))
    assert set(document) == {
        *("images", "captions", "splits", "captions_per_image", "words", "vocabulary", "frequent_words"),
        *("width", "height", "formats", "unreadable"),
    }
    assert document["captions_per_image"] == {"0": 1, "1": 1, "2": 2}
    assert document["words"] == {"min": 1, "mean": 2.6, "median": 3, "max": 4}
    assert document["frequent_words"]["niño"] == 1


def test_text_says_the_same(examples):
    lines = str(summarize(examples)).splitlines()
    assert "images              4" in lines
    assert "captions per image  1 with 0, 1 with 1, 2 with 2" in lines
    assert "words per caption   1 to 4, mean 2.6, median 3" in lines
    assert any(line.startswith("unreadable") and "leyenda data check" in line for line in lines)


def test_nothing_at_all():
    summary = summarize(Examples.from_rows([]))
    assert (summary.images, summary.captions, summary.vocabulary) == (0, 0, 0)
    assert "images              0" in str(summary)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("", []),
        ("... !", []),
        ("a_b", ["a", "b"]),
        ("¿Qué año?", ["qué", "año"]),
        ("dog 's ball", ["dog", "s", "ball"]),
        ("well-known don’t", ["well-known", "don’t"]),
        ("2 dogs", ["2", "dogs"]),
    ],
)
def test_words(caption, words):
    assert words_of(caption) == words
