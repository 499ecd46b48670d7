"""What all verbs share: help, errors, exit codes, quick start."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import click
import pytest

import leyenda
from leyenda.cli import VERBS, main
from leyenda.cli import leyenda as group
from leyenda.errors import DataError, DiskError

HEAVY = ("torch", "transformers", "datasets", "matplotlib", "pyarrow", "huggingface_hub", "jiwer")


def python(program: str) -> str:
    """What a fresh Python prints."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize("module", ["leyenda", "leyenda.cli", *(f"leyenda.cli.{verb}" for verb in VERBS)])
def test_importing_loads_nothing_heavy(module):
    loaded = python(f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded == "[]"


def test_training_has_one_heap_before_its_imports_begin_threads(tmp_path):
    said = python(f"""
import sys
from leyenda.cli import main
import leyenda.cli.train as train
train.share_one_heap = lambda: print("pyarrow" in sys.modules, "transformers" in sys.modules)
main(["train", {str(tmp_path / "none.jsonl")!r}, "--output", {str(tmp_path / "run")!r}])
""")
    assert said.splitlines()[0] == "False False"


def test_every_public_name_is_there():
    for name in leyenda.__all__:
        assert getattr(leyenda, name).__name__ == name
    assert set(leyenda.__all__) <= set(dir(leyenda))
    with pytest.raises(AttributeError, match="no attribute 'captioner'"):
        leyenda.captioner  # noqa: B018


def test_help_answers_within_half_a_second():
    """The issue's promise. The median of five, and best of three medians where the machine is busy."""

    def median() -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "leyenda", "--help"], capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    medians = []
    for _ in range(3):
        medians.append(median())
        if medians[-1] <= 0.5:
            return
        time.sleep(2)
    # On a machine where even an empty Python needs this long, only our own share counts.
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert min(medians) - (time.perf_counter() - start) <= 0.5


def test_help_names_every_verb(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr()
    for verb in VERBS:
        assert f"\n  {verb} " in printed.out
    assert printed.err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: leyenda {verb} ")
    assert main([verb, "-h"]) == 0


def test_no_verb_shows_the_help_and_is_an_error(capsys):
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: leyenda" in printed.err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"leyenda, version {leyenda.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["captoin"], "There is no verb 'captoin'. Did you mean 'caption'?"),
        (["trian", "x"], "There is no verb 'trian'. Did you mean 'train'?"),
        (
            ["zzz"],
            "There is no verb 'zzz'. The verbs are: quickstart, train, evaluate, caption, score, compare, data, "
            "push. See:",
        ),
        (["--verzion"], "No such option '--verzion'. Did you mean '--version'?"),
        (
            ["caption", "a.jpg", "--modle", "x"],
            "No such option '--modle'. (Did you mean one of: '--model', '--sample'?)",
        ),
        (["caption"], "Missing argument 'INPUT...'. See: leyenda caption --help"),
        (
            ["caption", "a.jpg", "--model"],
            "Option '--model' requires an argument. See: leyenda",
        ),
    ],
)
def test_a_word_that_is_wrong_is_one_line_that_names_near_ones(words, message, capsys):
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"leyenda: error: {message}")
    assert printed.err.count("\n") == 1


@pytest.fixture
def verb(monkeypatch):
    """A function that makes `leyenda caption` do something else."""

    def make(action):
        command = click.Command("caption", callback=action)
        monkeypatch.setattr(type(group), "get_command", lambda self, ctx, name: command)

    return make


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (
            DataError("'a.csv' is empty.", "Name another."),
            2,
            "leyenda: error: 'a.csv' is empty. Name another.\n",
        ),
        (DiskError("The disk is full."), 2, "leyenda: error: The disk is full.\n"),
        (KeyboardInterrupt(), 130, "\nleyenda: stopped.\n"),  # the terminal has ^C on that line
        (click.Abort(), 130, "leyenda: stopped.\n"),
    ],
)
def test_errors_and_their_exit_codes(verb, capsys, error, code, printed):
    verb(raising(error))
    assert main(["caption"]) == code
    assert capsys.readouterr() == ("", printed)


@pytest.mark.parametrize(("value", "code"), [(0, 0), (3, 3), (None, 0), ("done", 0)])
def test_the_exit_code_is_what_the_verb_returns(verb, value, code):
    verb(lambda: value)
    assert main(["caption"]) == code


def test_a_bug_is_not_hidden(verb):
    verb(raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError):
        main(["caption"])


@pytest.mark.parametrize("words", [["--debug", "caption"], ["caption", "--debug"]])
def test_debug_shows_the_traceback(verb, capsys, words):
    verb(raising(DataError("'a.csv' is empty.")))
    assert main(words) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback (most recent call last):")
    assert printed.endswith("leyenda: error: 'a.csv' is empty.\n")


def test_without_debug_there_is_none(verb, capsys):
    verb(raising(DataError("'a.csv' is empty.")))
    main(["caption"])
    assert "Traceback" not in capsys.readouterr().err


def test_after_two_dashes_words_are_names(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["caption", "--", "--debug"]) == 2
    assert capsys.readouterr().err == (
        "leyenda: error: There is no file '--debug'. Check the name and the folder.\n"
    )


def test_a_reader_that_goes_away_ends_it_in_silence():
    """As `leyenda --help | true`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "leyenda", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() in (0, 1)


def test_python_m_leyenda_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "leyenda", "zzz"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("leyenda: error: There is no verb 'zzz'.")


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "30000000000")],
)
def test_waiting_threads_soon_leave_the_cores_to_others(given, expected):
    """GNU's OpenMP itself tells what it goes by, when torch is loaded."""
    code = "import sys; from leyenda.cli import main; main(['--version']); import torch"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment = clean | {"OMP_DISPLAY_ENV": "verbose"} | given
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert f"GOMP_SPINCOUNT = '{expected}'" in told.stderr
