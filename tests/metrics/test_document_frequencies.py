"""CIDEr-D with the n-gram weights of a larger collection."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import DiskError, ScoreError
from leyenda.metrics import document_frequencies
from leyenda.metrics.ptb_tokenizer import ptb_tokens

COLLECTION = [["a red dog", "the dog"], ["a blue cat"], ["a cow"], ["a red cow", "a red bird"]]


def cider(hypotheses: dict[str, str], references: dict[str, list[str]], **options) -> metrics.score:
    return metrics.score(hypotheses, references, ["cider_d"], **options)


def test_the_references_own_counts_change_nothing(shared: Path) -> None:
    for name in ("coco-1000.json", "hard-cases.json"):
        case = json.loads((shared / "oracle" / name).read_text("utf-8"))
        frequencies = document_frequencies.build(case["references"])
        usual = cider(case["hypotheses"], case["references"])
        given_counts = cider(case["hypotheses"], case["references"], document_frequencies=frequencies)
        assert given_counts.values == pytest.approx(usual.values, abs=1e-12)
        assert given_counts.per_image["cider_d"] == pytest.approx(usual.per_image["cider_d"], abs=1e-12)


def test_a_part_of_the_images_scores_as_within_the_whole(shared: Path) -> None:
    """With the same weights, what an image scores no longer depends on the images beside it."""
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    images = list(case["hypotheses"])[:80]
    part = cider(
        {image: case["hypotheses"][image] for image in images},
        {image: case["references"][image] for image in images},
        document_frequencies=document_frequencies.build(case["references"]),
    )
    for image in images:
        assert part.per_image["cider_d"][image] == pytest.approx(case["per_image"][image]["CIDEr"], abs=1e-9)


def test_by_hand() -> None:
    """`dog` stands in 1 of 4 images, `red` in 2, `red dog` in 1, `blue dog` in none (which counts as 1)."""
    frequencies = document_frequencies.build(COLLECTION)
    scores = cider({"1": "blue dog"}, {"1": ["red dog"]}, document_frequencies=frequencies)
    dog, red, blue = math.log(4), math.log(2), math.log(4)
    cosine = dog**2 / (math.hypot(dog, blue) * math.hypot(dog, red))
    assert scores.values["cider_d"] == pytest.approx(10 * cosine / 4)


def test_one_image_can_score_with_a_collections_weights() -> None:
    frequencies = document_frequencies.build(COLLECTION)
    caption = {"1": "a red dog runs"}
    scores = cider(caption, {"1": ["a red dog runs"]}, document_frequencies=frequencies)
    assert scores.values["cider_d"] == pytest.approx(10.0)


def test_the_result_says_where_the_weights_come_from(tmp_path: Path) -> None:
    frequencies = document_frequencies.build(COLLECTION, origin="'captions.json'")
    words = cider({"1": "a"}, {"1": ["a"]}, document_frequencies=frequencies).normalization["cider_d"]
    assert f"'captions.json' (4 images, sha256 {frequencies.sha256[:12]})" in words
    assert (
        "references of the images scored (1 images)"
        in cider({"1": "a"}, {"1": ["a"]}).normalization["cider_d"]
    )
    document_frequencies.save(frequencies, tmp_path / "small.npz")
    loaded = document_frequencies.load(tmp_path / "small.npz")
    assert "'small.npz' (4 images" in loaded.description


CAPTIONS = st.lists(
    st.lists(st.text("ab cñ\xa0.", max_size=12), min_size=1, max_size=3), min_size=1, max_size=5
)


@given(CAPTIONS, CAPTIONS)
def test_counts_are_those_of_counting(collection: list[list[str]], others: list[list[str]]) -> None:
    def ngrams(captions: list[str], n: int) -> set[tuple[str, ...]]:
        words = [" ".join(ptb_tokens(text)).split() for text in captions]
        return {tuple(w[i : i + n]) for w in words for i in range(len(w) - n + 1)}

    frequencies = document_frequencies.build(collection)
    other = document_frequencies.build(others)
    counted, vocabulary = document_frequencies.count_ngrams(
        [ptb_tokens(text) for captions in others for text in captions]
    )
    found = frequencies.of(counted, vocabulary)
    for n in range(1, 5):
        wanted = sorted(ngrams([text for captions in others for text in captions], n))
        expected = [sum(gram in ngrams(captions, n) for captions in collection) for gram in wanted]
        assert found[n - 1].tolist() == expected
        assert len(other.counts[n - 1]) == len(wanted)


def test_saved_and_read_again_they_are_the_same(tmp_path: Path) -> None:
    captions = [["un niño 2\xa01/2", "half \ud83d"], ["", "a b c d e"]]
    frequencies = document_frequencies.build(captions, tokenizer="unicode")
    document_frequencies.save(frequencies, tmp_path / "df.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["df.npz"]
    loaded = document_frequencies.load(tmp_path / "df.npz")
    assert (loaded.tokenizer, loaded.images, loaded.sha256) == ("unicode", 2, frequencies.sha256)
    assert dict(loaded.vocabulary) == dict(frequencies.vocabulary)
    for ours, theirs in zip(loaded.counts + loaded.keys, frequencies.counts + frequencies.keys, strict=True):
        assert ours.tolist() == theirs.tolist()


def test_the_order_of_captions_changes_nothing() -> None:
    assert (
        document_frequencies.build(COLLECTION).sha256 == document_frequencies.build(COLLECTION[::-1]).sha256
    )


def test_a_collection_of_empty_captions_weighs_nothing(tmp_path: Path) -> None:
    document_frequencies.save(document_frequencies.build([[""], ["..."]]), tmp_path / "empty.npz")
    frequencies = document_frequencies.load(tmp_path / "empty.npz")
    scores = cider({"1": "a dog runs fast"}, {"1": ["a dog runs fast"]}, document_frequencies=frequencies)
    assert scores.values["cider_d"] == pytest.approx(10.0)  # every n-gram is as rare as can be


def test_another_tokenizer_is_refused() -> None:
    frequencies = document_frequencies.build(COLLECTION, tokenizer="unicode")
    with pytest.raises(ScoreError, match=r"counted with the tokenizer 'unicode'.*compared with 'ptb'"):
        cider({"1": "a"}, {"1": ["a"]}, document_frequencies=frequencies)
    cider({"1": "a"}, {"1": ["a"]}, document_frequencies=frequencies, tokenizer="unicode")


def test_what_is_no_such_file_is_named(tmp_path: Path) -> None:
    fine = tmp_path / "fine.npz"
    document_frequencies.save(document_frequencies.build(COLLECTION), fine)
    with pytest.raises(ScoreError, match="There is no file"):
        document_frequencies.load(tmp_path / "absent.npz")
    for name, content in {
        "empty.npz": b"",
        "text.npz": b"a dog",
        "changed.npz": fine.read_bytes().replace(b"PK\x03\x04", b"PK\x03\x05"),
        "cut.npz": fine.read_bytes()[:-40],
        "folder.npz": None,
    }.items():
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(ScoreError, match=f"{name}' is no whole file of document frequencies"):
            document_frequencies.load(path)
    np.savez(tmp_path / "other.npz", counts=np.arange(3))
    np.save(tmp_path / "array.npy", np.arange(3))
    for name in ("other.npz", "array.npy"):
        with pytest.raises(ScoreError, match="is no whole file"):
            document_frequencies.load(tmp_path / name)


def test_changed_counts_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "df.npz"
    document_frequencies.save(document_frequencies.build(COLLECTION), path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["images_1"] = arrays["images_1"] + 1
    np.savez(path, **arrays)
    with pytest.raises(ScoreError, match="damaged: its checksum"):
        document_frequencies.load(path)


def test_no_changed_byte_goes_through_as_other_counts(tmp_path: Path) -> None:
    path = tmp_path / "df.npz"
    frequencies = document_frequencies.build(COLLECTION)
    document_frequencies.save(frequencies, path)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert document_frequencies.load(path).sha256 == frequencies.sha256
        except ScoreError as error:
            assert "df.npz" in str(error)


class _Program:
    """What a pickle could do: run anything."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open, ("was_run", "w")


def test_a_pickle_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("coco-val-df.p", "hidden.npz"):
        (tmp_path / name).write_bytes(pickle.dumps(_Program()))
        with pytest.raises(ScoreError):
            document_frequencies.load(tmp_path / name)
    with pytest.raises(ScoreError, match=r"Python pickle.*Give the captions"):
        document_frequencies.load(tmp_path / "coco-val-df.p")
    assert not (tmp_path / "was_run").exists()


def test_nothing_to_count_in_and_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="no captions to count"):
        document_frequencies.build([])
    with pytest.raises(ScoreError, match="one text"):
        document_frequencies.build({"1": "a dog"})
    with pytest.raises(ScoreError, match="no tokenizer 'ptbb'"):
        document_frequencies.build([["a"]], tokenizer="ptbb")
    with pytest.raises(DiskError, match="cannot be written"):
        document_frequencies.save(document_frequencies.build(COLLECTION), tmp_path / "no" / "df.npz")
