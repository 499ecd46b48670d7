"""Every kind of problem is found, with its file and line, and nothing else is."""

import hashlib
import io
import json
import random
import string
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from leyenda.data.check import KINDS, check
from leyenda.data.duplicates import fingerprint, near_duplicates, near_hashes
from leyenda.data.examples import Examples
from leyenda.data.load import load_examples
from leyenda.records import Example, ImageSource, Origin


def scene(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A picture with shapes and shades, unlike every other."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (5, 7, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def found(report) -> set[tuple[str, str, int]]:
    return {(problem.kind, problem.id, problem.line) for problem in report.problems}


def dataset(folder: Path, rows: list[tuple[str, str]], name: str = "captions.csv") -> Path:
    path = folder / name
    lines = ["image,caption", *(f"{image},{caption}" for image, caption in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def from_files(paths: list[Path], splits: list[str | None] | None = None) -> Examples:
    splits = splits or [None] * len(paths)
    return Examples.from_rows(
        Example(path.name, ImageSource(str(path)), ("a caption",), split, Origin("list.csv", number + 2))
        for number, (path, split) in enumerate(zip(paths, splits, strict=True))
    )


@pytest.fixture
def good(tmp_path) -> list[Path]:
    """Five pictures with nothing wrong."""
    paths = [tmp_path / f"{number}.jpg" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(jpeg(scene(number)))
    return paths


def test_nothing_wrong(good):
    report = check(from_files(good))
    assert report.problems == ()
    assert (report.images, report.captions) == (5, 5)


def test_every_problem_at_once(tmp_path, good):
    whole = good[0].read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "copy.jpg").write_bytes(good[1].read_bytes())
    (tmp_path / "smaller.jpg").write_bytes(jpeg(scene(2).resize((80, 60)), quality=60))
    outside = tmp_path.parent / "outside.jpg"
    outside.write_bytes(jpeg(scene(99)))
    rows = [
        ("0.jpg", "a dog"),  # line 2
        ("1.jpg", "a cat"),
        ("2.jpg", "a bird"),
        ("cut.jpg", "a cut one"),  # 5
        ("empty.jpg", "an empty one"),
        ("page.jpg", "a page"),
        ("gone.jpg", "not there"),
        ("copy.jpg", "the cat again"),
        ("smaller.jpg", "the bird again"),  # 10
        ("3.jpg", "fine"),
        ("3.jpg", ""),  # 12: the second caption of 3.jpg
        ("../outside.jpg", "from elsewhere"),
    ]
    source = dataset(tmp_path, rows)
    report = check(load_examples(source))
    assert found(report) == {
        ("truncated_image", "cut.jpg", 5),
        ("empty_image", "empty.jpg", 6),
        ("unreadable_image", "page.jpg", 7),
        ("missing_image", "gone.jpg", 8),
        ("duplicate_image", "copy.jpg", 9),
        ("near_duplicate_image", "smaller.jpg", 10),
        ("empty_caption", "3.jpg", 12),
        ("outside_folder", "../outside.jpg", 13),
    }
    assert {Path(problem.file).name for problem in report.problems} == {"captions.csv"}
    assert [problem.line for problem in report.problems] == sorted(
        problem.line for problem in report.problems
    )
    message = {problem.kind: problem.message for problem in report.problems}
    assert "'1.jpg'" in message["duplicate_image"]
    assert "'2.jpg'" in message["near_duplicate_image"]
    assert str(report.problems[0]).startswith(f"{source}:5: truncated_image: ")


def test_no_caption(good):
    rows = [Example("a.jpg", ImageSource(str(good[0])), (), None, Origin("a.csv", 3))]
    assert found(check(Examples.from_rows(rows))) == {("no_caption", "a.jpg", 3)}


def test_a_link_out_of_the_folder(tmp_path, good):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "in.jpg").symlink_to(good[0])
    (folder / "in.txt").write_text("a dog")
    assert ("outside_folder", "in.jpg") in {pair[:2] for pair in found(check(load_examples(folder)))}


def test_leaks_between_splits(tmp_path, good):
    same, near = tmp_path / "same.jpg", tmp_path / "near.jpg"
    same.write_bytes(good[0].read_bytes())
    near.write_bytes(jpeg(scene(1), quality=40))
    paths = [*good, same, near]
    splits = ["train"] * 5 + ["test", "validation"]
    report = check(from_files(paths, splits))
    assert found(report) == {
        ("duplicate_image", "same.jpg", 7),
        ("split_leak", "same.jpg", 7),
        ("near_duplicate_image", "near.jpg", 8),
        ("split_leak", "near.jpg", 8),
    }
    leaks = [problem.message for problem in report.problems if problem.kind == "split_leak"]
    assert "'same.jpg' in 'test' is the same file as '0.jpg' in 'train'." in leaks
    assert "'near.jpg' in 'validation' looks the same as '1.jpg' in 'train'." in leaks
    # On one side of the split they are duplicates only.
    kinds = {problem.kind for problem in check(from_files(paths, ["train"] * 7)).problems}
    assert kinds == {"duplicate_image", "near_duplicate_image"}


def test_many_copies_are_reported_once_each(tmp_path, good):
    copies = [tmp_path / f"copy{number}.jpg" for number in range(40)]
    for copy in copies:
        copy.write_bytes(good[0].read_bytes())
    report = check(from_files([good[0], *copies], [["train", "test"][n % 2] for n in range(41)]))
    assert report.counts() == {"duplicate_image": 40, "split_leak": 40}


def test_the_report_as_json(tmp_path, good):
    good[2].write_bytes(b"")
    document = json.loads(json.dumps(check(from_files(good)).as_json()))
    assert document["counts"] == {"empty_image": 1}
    (problem,) = document["problems"]
    assert problem["kind"] in KINDS
    assert (problem["id"], problem["file"], problem["line"]) == ("2.jpg", "list.csv", 4)


# ---- near duplicates -------------------------------------------------------------------------------------------


def stamped(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    ImageDraw.Draw(copy).text((4, picture.height - 14), "(c)", (255, 255, 255))
    return copy


@pytest.mark.parametrize(
    "altered",
    [
        lambda picture: Image.open(io.BytesIO(jpeg(picture, 25))).convert("RGB"),
        lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
        lambda picture: picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS),
        lambda picture: ImageEnhance.Brightness(picture).enhance(1.02),
    ],
)
def test_retouched_copies_are_near(altered):
    pictures = [scene(seed) for seed in range(12)]
    copies = [altered(picture) for picture in pictures]
    pairs = near_duplicates([fingerprint(picture) for picture in pictures + copies])
    assert pairs == [(number, number + 12) for number in range(12)]


def test_pictures_that_only_resemble_each_other_are_not_near():
    def drawing(colour, mouth, mirrored=False):
        picture = Image.new("RGB", (128, 128), (200, 230, 255))
        draw = ImageDraw.Draw(picture)
        draw.ellipse((24, 24, 104, 104), fill=colour)
        draw.rectangle((30, 84, 98, 84 + mouth), fill="black")
        draw.polygon([(24, 40), (40, 8), (60, 30)], fill="brown")
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else picture

    unlike = [drawing("red", 4), drawing("blue", 4), drawing("red", 24), drawing("red", 4, mirrored=True)]
    assert near_duplicates([fingerprint(picture) for picture in unlike]) == []


def test_flat_pictures_are_not_near():
    flat = [Image.new("RGB", (64, 48), (shade, shade, shade)) for shade in (0, 1, 2, 254, 255, 255)]
    pages = []
    for word in ("one", "two", "three"):
        page = Image.new("RGB", (400, 600), "white")
        ImageDraw.Draw(page).text((20, 20), word, "black")
        pages.append(page)
    assert near_duplicates([fingerprint(picture) for picture in flat + pages]) == []


@pytest.mark.parametrize("distance", [0, 1, 8, 20])
def test_search_finds_what_comparing_all_with_all_finds(distance):
    chance = random.Random(distance)
    hashes = [chance.getrandbits(64) for _ in range(150)]
    for start in hashes[:60]:
        flips = chance.sample(range(64), chance.randint(0, 24))
        hashes.append(start ^ sum(1 << bit for bit in flips))
    hashes += hashes[:3]
    expected = [
        [first, second]
        for first in range(len(hashes))
        for second in range(first + 1, len(hashes))
        if (hashes[first] ^ hashes[second]).bit_count() <= distance
    ]
    assert near_hashes(np.array(hashes, np.uint64), distance).tolist() == expected
    assert len(expected) >= 3


def test_a_crowded_bucket():
    hashes = np.zeros(400, np.uint64)
    assert len(near_hashes(hashes, 2)) == 400 * 399 // 2


def test_no_false_alarm_on_real_photographs(shared):
    paths = sorted((shared / "data/flickr8k-800/Images").iterdir())[:120]
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in paths}
    assert len(digests) == 120
    assert check(from_files(paths)).problems == ()


# ---- captions and the tokenizer --------------------------------------------------------------------------------


def wordpiece(lowercase: bool, strip_accents: bool, letters: str):
    """A real BERT tokenizer over single letters."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    vocabulary = {
        piece: number
        for number, piece in enumerate([*special, *letters, *(f"##{letter}" for letter in letters)])
    }
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    from tokenizers.processors import BertProcessing

    tokenizer.post_processor = BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    )


def captioned(good: list[Path], *captions: str) -> Examples:
    return Examples.from_rows(
        [Example("a.jpg", ImageSource(str(good[0])), captions, None, Origin("a.csv", 2))]
    )


CASED = string.ascii_letters + "áéíóúñÁÉÑ.,'"


@pytest.mark.parametrize(
    ("lowercase", "strip", "letters", "caption", "kinds"),
    [
        (False, False, CASED, "Un niño está aquí.", []),
        (True, False, CASED, "Un perro", ["lost_case"]),
        (True, False, CASED, "un niño está, 'aquí'.", []),  # spaces round marks are not compared
        (False, True, CASED, "un niño", ["lost_accent"]),
        (True, True, CASED, "Un niño está", ["lost_case", "lost_accent"]),
        (True, True, CASED, "un perro", []),
        (False, False, CASED, "a dog 日本", ["unknown_token"]),
        (False, False, "abc", "abc", []),
        (False, False, CASED, "nin\u0303o", ["unknown_token"]),  # n and a separate tilde, which it lacks
    ],
)
def test_what_a_tokenizer_loses(good, lowercase, strip, letters, caption, kinds):
    report = check(captioned(good, caption), tokenizer=wordpiece(lowercase, strip, letters))
    assert [problem.kind for problem in report.problems] == kinds
    for problem in report.problems:
        assert (problem.file, problem.line) == ("a.csv", 2)


def test_an_unknown_word_is_named(good):
    report = check(captioned(good, "a dog 日本 x"), tokenizer=wordpiece(False, False, CASED))
    (problem,) = report.problems
    assert "'日本'" in problem.message
    assert "'dog'" not in problem.message


def test_a_tokenizer_that_writes_something_else(good):
    from tokenizers import Regex, normalizers

    tokenizer = wordpiece(False, False, CASED)
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace(Regex("dog"), "cat")
    report = check(captioned(good, "a dog"), tokenizer=tokenizer)
    assert [(problem.kind, problem.message) for problem in report.problems] == [
        ("changed", "'a dog' comes back as 'a cat'.")
    ]


def test_captions_that_are_cut(good):
    tokenizer = wordpiece(False, False, CASED)
    # One token a letter, and [CLS] and [SEP]: "abcd" has 6.
    assert check(captioned(good, "abcd"), tokenizer=tokenizer, max_caption_tokens=6).problems == ()
    (problem,) = check(captioned(good, "ab", "abcd"), tokenizer=tokenizer, max_caption_tokens=5).problems
    assert problem.kind == "too_long"
    assert "6 tokens" in problem.message
    assert "5" in problem.message
