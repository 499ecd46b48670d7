"""`leyenda compare`: what it says of two sets of captions, checked against scoring each."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from leyenda.cli import main
from leyenda.jobs.compare import compare
from leyenda.jobs.score import score

WORDS = ["dog", "cat", "cow", "hen", "horse", "goat", "bird", "fish", "frog", "fox"]


def lines(path: str, rows: list[dict]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """60 pictures; `good` names the animal nearly always, `poor` half of the time, `twin` is as good as `good`."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(4)
    animals = {f"{number}.jpg": chance.choice(WORDS) for number in range(60)}
    written = {
        name: [f"a brown {animal} on the grass", f"the {animal} rests"] for name, animal in animals.items()
    }

    def said(right: float) -> dict[str, str]:
        return {
            name: f"a {animal if chance.random() < right else chance.choice(WORDS)} on the grass"
            for name, animal in animals.items()
        }

    for file, right in {"good": 0.95, "poor": 0.5, "twin": 0.95}.items():
        captions = said(right)
        rows = [{"image": n, "caption": captions[n], "references": written[n]} for n in animals]
        lines(f"{file}.jsonl", rows)
    return written


def test_values_are_those_of_scoring_each_and_differences_have_their_sign(files):
    found = compare("poor.jsonl", "good.jsonl")
    poor, good = (score(f"{name}.jsonl").result.scores for name in ("poor", "good"))
    for each in found.scores:
        name = each.metric.name
        assert (each.a, each.b) == pytest.approx((poor.values[name], good.values[name]))
        if each.difference is not None:
            assert each.difference.difference == pytest.approx(good.values[name] - poor.values[name])
            assert each.difference.interval[0] <= each.b - each.a <= each.difference.interval[1]
        if each.wins is not None:
            assert each.wins + each.losses + each.ties == 60
    assert {each.metric.name for each in found.scores if each.difference is None} == {"distinct"}


def test_the_better_one_is_named_whichever_stands_first(files):
    good_last, good_first = compare("poor.jsonl", "good.jsonl"), compare("good.jsonl", "poor.jsonl")
    for name in ("wer", "cider_d"):
        assert [each.better for each in good_last.scores if each.metric.name == name] == ["b"]
        assert [each.better for each in good_first.scores if each.metric.name == name] == ["a"]
    wins = {each.metric.name: (each.wins, each.losses) for each in good_last.scores}
    swapped = {each.metric.name: (each.losses, each.wins) for each in good_first.scores}
    assert wins == swapped
    assert wins["wer"][0] > wins["wer"][1], "fewer errors win"
    assert good_last.verdict.startswith("B is better on wer")


def test_two_that_are_as_good_are_not_told_apart(files):
    assert compare("good.jsonl", "twin.jsonl").verdict == (
        "Neither is better: every difference is within what 60 pictures can tell."
    )
    same = compare("good.jsonl", "good.jsonl")
    assert same.verdict.startswith("Neither")
    assert all(each.difference.p_value == 1.0 for each in same.scores if each.difference)
    assert same.b_better == same.a_better == ()


def test_the_pictures_on_which_they_differ_most(files):
    found = compare("poor.jsonl", "good.jsonl")
    poor, good = (score(f"{name}.jsonl").result.scores.per_image["cider_d"] for name in ("poor", "good"))
    gains = sorted(((good[name] - poor[name]) for name in good), reverse=True)
    assert found.ranking == "cider_d"
    assert [each.difference for each in found.b_better] == pytest.approx(gains[:5])
    first = found.b_better[0]
    assert list(first.references) == files[first.id]
    assert first.a != first.b
    assert compare("poor.jsonl", "good.jsonl", metric_names=["wer"]).ranking == "wer"
    assert compare("poor.jsonl", "good.jsonl", metric_names=["distinct"]).ranking == ""


def test_for_errors_the_better_caption_has_fewer(files):
    found = compare("poor.jsonl", "good.jsonl", metric_names=["wer"])
    assert all(each.difference < 0 for each in found.b_better)
    assert all(each.difference > 0 for each in found.a_better)


def test_json_says_it_all_and_the_seed_decides(files, capsys):
    def run(*typed):
        assert main(["compare", "poor.jsonl", "good.jsonl", "--json", *typed]) == 0
        return json.loads(capsys.readouterr().out)

    first = run("--metrics", "cider_d,distinct", "--seed", "1")
    assert first == run("--metrics", "cider_d,distinct", "--seed", "1")
    assert first["metrics"]["cider_d"]["interval"] != run("--seed", "2")["metrics"]["cider_d"]["interval"]
    assert first["metrics"]["distinct"]["interval"] is first["metrics"]["distinct"]["p_value"] is None
    assert first["metrics"]["cider_d"]["better"] == "b"
    assert first["resampling"].items() >= {"seed": 1, "permutations": 9999, "level": 0.95}.items()
    assert first["images"] == 60
    assert first["b_better"][0].keys() == {"image", "a", "b", "references", "difference"}


def test_what_people_read(files, capsys):
    assert main(["compare", "poor.jsonl", "good.jsonl", "--metrics", "wer,cider_d"]) == 0
    said = capsys.readouterr().out
    assert "A: poor.jsonl\nB: good.jsonl\n\nB is better on wer, cider_d.\n" in said
    assert "seed 0" in said
    assert "B is better by most (cider_d):" in said


def test_run_folders_and_other_references(files, capsys):
    for name in ("poor", "good"):
        Path(name).mkdir()
        Path(name, "predictions.jsonl").write_text(Path(f"{name}.jsonl").read_text())
    lines("one.jsonl", [{"image": image, "references": texts[1:]} for image, texts in files.items()])
    by_one = compare("poor", "good", "one.jsonl")
    assert by_one.images == 60
    assert by_one.scores[0].b > compare("poor", "good").scores[0].b, (
        "one reference is harder to meet than two"
    )


def test_only_common_compares_what_both_captioned(files, capsys):
    rows = Path("good.jsonl").read_text().splitlines(keepends=True)
    Path("few.jsonl").write_text("".join(rows[:40]))
    assert main(["compare", "poor.jsonl", "few.jsonl"]) == 2
    assert "few.jsonl has 20 pictures of the references without a caption" in capsys.readouterr().err
    found = compare("poor.jsonl", "few.jsonl", only_common=True)
    assert found.images == 40
    assert any("20 pictures without a caption" in note for note in found.notes)
    other_way = compare("few.jsonl", "poor.jsonl", only_common=True)
    assert other_way.images == 40
    assert any("20 pictures without references" in note for note in other_way.notes)


def test_one_picture_proves_nothing(files):
    for name in ("poor", "good"):
        Path(f"{name}1.jsonl").write_text(Path(f"{name}.jsonl").read_text().splitlines(keepends=True)[0])
    found = compare("poor1.jsonl", "good1.jsonl")
    assert found.verdict == "Neither is better: every difference is within what 1 picture can tell."
    assert all(each.difference.interval is None for each in found.scores if each.difference)
