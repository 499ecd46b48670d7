"""`leyenda data` as a user types it."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leyenda.cli import main
from leyenda.data.load import load_examples


def picture(seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def source(tmp_path) -> Path:
    """A CSV with twelve pictures of two captions each."""
    folder = tmp_path / "in"
    folder.mkdir()
    rows = ["image,caption"]
    for number in range(12):
        (folder / f"{number}.png").write_bytes(picture(number))
        rows += [f"{number}.png,picture number {number}", f"{number}.png,un niño y un perro"]
    path = folder / "captions.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(capsys):
    def type_command(*words) -> tuple[int, str, str]:
        code = main(["data", *map(str, words)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return type_command


def test_show(run, source):
    code, out, err = run("show", source)
    assert (code, err) == (0, "")
    assert "images              12" in out
    assert "captions per image  12 with 2" in out
    assert "picture formats     PNG 12" in out


def test_show_json(run, source):
    code, out, _err = run("show", source, "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["images"], document["captions"]) == (12, 24)
    assert document["width"] == {"min": 64, "mean": 64.0, "median": 64, "max": 64}
    assert document["frequent_words"]["un"] == 24
    assert "niño" in out


def test_show_draws_a_grid(run, source, tmp_path):
    code, out, err = run(
        "show", source, "--grid", tmp_path / "look.png", "--pictures", 3, "--columns", 3, "--json"
    )
    assert code == 0
    assert "look.png" in err
    json.loads(out)  # nothing but the document on standard output
    assert Image.open(tmp_path / "look.png").size[0] > 900


def test_show_one_split(run, source):
    sizes = {}
    for name in ("train", "validation", "test"):
        code, out, err = run("show", source, "--split", name, "--json")
        if code == 0:
            sizes |= json.loads(out)["splits"]
            assert "leyenda data split" in err
    assert sum(sizes.values()) == 12
    code, out, err = run("show", source, "--split", "tran")
    assert code == 2
    assert "Did you mean 'train'?" in err


def test_check_finds_nothing(run, source):
    code, out, err = run("check", source)
    assert (code, out) == (0, "No problem found.\n")
    assert "12 pictures and 24 captions" in err


def test_check_finds_something(run, source):
    (source.parent / "3.png").write_bytes(b"")
    (source.parent / "4.png").write_bytes(picture(5))
    code, out, _err = run("check", source)
    assert code == 3
    assert out.splitlines() == [
        f"{source}:8: empty_image: {str(source.parent / '3.png')!r} holds no bytes at all.",
        f"{source}:12: duplicate_image: '5.png' is the same file as '4.png'.",
    ]
    code, out, _err = run("check", source, "--json")
    assert code == 3
    document = json.loads(out)
    assert document["counts"] == {"empty_image": 1, "duplicate_image": 1}
    assert [(problem["id"], problem["line"]) for problem in document["problems"]] == [
        ("3.png", 8),
        ("5.png", 12),
    ]


def test_check_with_a_model(run, source, tiny_checkpoint):
    source.write_text("image,caption\n0.png,a red dog\n0.png,日本 dog\n", encoding="utf-8")
    code, out, _err = run("check", source, "--model", tiny_checkpoint, "--json")
    problems = json.loads(out)["problems"]
    assert [(problem["kind"], problem["line"]) for problem in problems] == [("unknown_token", 3)]
    assert code == 3
    code, out, _err = run("check", source, "--model", tiny_checkpoint, "--max-caption-tokens", 3, "--json")
    assert json.loads(out)["counts"]["too_long"] == 2


def test_check_of_a_model_that_is_not_there(run, source):
    code, out, err = run("check", source, "--model", "./none")
    assert (code, out) == (2, "")
    assert err.startswith("leyenda: error: ")
    code, out, err = run("check", source, "--max-caption-tokens", 3)
    assert code == 2
    assert "--model" in err


def test_split(run, source, tmp_path):
    code, out, _err = run("split", source, "--output", tmp_path / "splits.csv", "--seed", 3)
    assert code == 0
    with open(tmp_path / "splits.csv", encoding="utf-8", newline="") as file:
        rows = {row["id"]: row["split"] for row in csv.DictReader(file)}
    assert set(rows) == {f"{number}.png" for number in range(12)}
    for name in ("train", "validation", "test"):
        count = list(rows.values()).count(name)
        assert f"{name}: {count} image" in out


def test_split_into_a_folder(run, source, tmp_path):
    code, out, _err = run("split", source, "--test", 0.4, "--output", tmp_path / "divided")
    assert code == 0
    divided = load_examples(tmp_path / "divided")
    assert sum(divided.splits().values()) == 12
    assert f"test: {divided.splits()['test']} images" in out


@pytest.mark.parametrize("words", [["--test", "1.5"], ["--validation", "0.6", "--test", "0.6"]])
def test_split_with_shares_that_make_no_sense(run, source, words):
    code, out, err = run("split", source, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_convert(run, source, tmp_path):
    code, out, err = run("convert", source, tmp_path / "out", "--to", "webdataset")
    assert code == 0
    assert out.splitlines() == ["images\t12", "captions\t24"]
    assert load_examples(tmp_path / "out") == load_examples(source)
    code, out, err = run("convert", source, tmp_path / "out", "--to", "webdataset")
    assert code == 2
    assert "exists" in err
    code, out, err = run("convert", source, tmp_path / "other", "--to", "webdatset")
    assert code == 2
    assert "Did you mean 'webdataset'" in err


def test_source_options_reach_the_reader(run, source):
    source.write_text("file,what,other\n0.png,yes,no\n", encoding="utf-8")
    code, out, err = run("show", source, "--image-column", "file", "--caption-column", "what", "--json")
    assert json.loads(out)["frequent_words"] == {"yes": 1}
    code, out, err = run("show", source, "--caption-column", "wat")
    assert code == 2
    assert "what" in err
    code, out, err = run("show", source, "--format", "cvs")
    assert code == 2
    assert "'csv'" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "SOURCE"),
        (["show", "nowhere"], "no file or folder 'nowhere'"),
        (["shw", "x"], "show"),
        (["show", "x", "--gird", "y"], "--grid"),
        (["show", "x", "--pictures", "many"], "many"),
        (["convert", "x", "y"], "--to"),
    ],
)
def test_mistakes_are_one_line(run, words, told):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("verb", [[], ["show"], ["check"], ["split"], ["convert"]])
def test_help_has_an_example(run, verb):
    code, out, _err = run(*verb, "--help")
    assert code == 0
    assert f"\n    leyenda data {' '.join(verb)}" in out


def leyenda(*words, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "leyenda", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_in_a_process_of_its_own(source):
    shown = leyenda("data", "show", "captions.csv", "--json", cwd=source.parent)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["images"] == 12
    (source.parent / "7.png").unlink()
    checked = leyenda("data", "check", source)
    assert checked.returncode == 3
    assert "7.png" in checked.stdout
    absent = leyenda("data", "check", source.parent / "none.csv")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "Traceback" not in absent.stderr


def test_showing_loads_neither_torch_nor_transformers(source):
    program = (
        "import sys; from leyenda.cli import main;"
        f"main(['data', 'show', {str(source)!r}]); main(['data', 'check', {str(source)!r}]);"
        "print([name for name in ('torch', 'transformers', 'datasets', 'matplotlib', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
