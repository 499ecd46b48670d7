"""What `leyenda score` says beside scores: what captions are like, what confidence means, what is invented."""

from __future__ import annotations

import json

import pytest

from leyenda.cli import main

ROWS = [
    ("1.png", "a dog on a bench", 0.9, ["a dog on a bench", "a puppy sits"]),
    ("2.png", "a dog on a bench", 0.2, ["two cats sleep", "cats on a sofa"]),
    ("3.png", "a cat sleeps", 0.8, ["a cat sleeps", "a sleeping cat"]),
]


@pytest.fixture
def predictions(tmp_path):
    lines = [dict(zip(("image", "caption", "confidence", "references"), row, strict=True)) for row in ROWS]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "objects.txt").write_text("dog, puppy\ncat\nbench\n")
    return path


def scored(capsys, *words):
    code = main(["score", *map(str, words), "--json"])
    captured = capsys.readouterr()
    return json.loads(captured.out) if code == 0 else captured.err


def test_statistics_and_calibration_are_printed(predictions, capsys):
    found = scored(capsys, "--predictions", predictions, "--metrics", "rouge1")
    assert found["statistics"]["model"]["distinct"] == pytest.approx(2 / 3)
    assert found["statistics"]["model"]["lengths"] == {"3": 1, "5": 2}
    assert found["statistics"]["model"]["copied"] is None
    assert found["statistics"]["people"]["mean_words"] == pytest.approx(11 / 3)
    assert found["calibration"]["discrimination"] == 1.0
    assert found["calibration"]["mean_right"] == pytest.approx(2 / 3)


def test_no_confidence_no_calibration(tmp_path, capsys):
    path = tmp_path / "p.jsonl"
    path.write_text('{"image": "a", "caption": "a dog", "references": ["a dog"]}\n')
    found = scored(capsys, "--predictions", path)
    assert found["calibration"] is None
    assert found["statistics"]["model"]["mean_confidence"] is None


def test_a_confidence_that_is_none_is_named(tmp_path, capsys):
    path = tmp_path / "p.jsonl"
    path.write_text('{"image": "a", "caption": "a dog", "confidence": -1.5, "references": ["a dog"]}\n')
    assert "confidence" in scored(capsys, "--predictions", path)


def test_invented_objects_stand_beside_the_other_scores_and_their_controls(predictions, capsys, tmp_path):
    found = scored(capsys, "--predictions", predictions, "--objects", tmp_path / "objects.txt")
    # Named: dog, bench, dog, bench, cat; the second picture holds cats alone.
    assert found["metrics"]["chair_i"] == pytest.approx(2 / 5)
    assert found["metrics"]["chair_s"] == pytest.approx(1 / 3)
    assert "wer" in found["metrics"]
    assert found["controls"]["constant"]["chair_s"] > 0
    assert found["human"]["metrics"]["chair_i"] <= 1
    assert len(found["intervals"]["chair_i"]) == 2


def test_annotations_count_beside_references(predictions, capsys, tmp_path):
    held = tmp_path / "held.json"
    held.write_text(json.dumps({"1.png": [], "2.png": ["dog"], "3.png": []}))
    found = scored(
        capsys, "--predictions", predictions, "--objects", tmp_path / "objects.txt", "--annotations", held
    )
    assert found["metrics"]["chair_i"] == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metrics", "chair_i"], "--objects"),
        (["--annotations", "a.json"], "--objects"),
        (["--objects", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_what_chair_needs_is_said(predictions, capsys, words, said):
    assert said in scored(capsys, "--predictions", predictions, *words)
