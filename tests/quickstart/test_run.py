"""What `leyenda quickstart` does around the training, which is replaced here: drawing, going on, keeping."""

from __future__ import annotations

from pathlib import Path

import pytest

from leyenda.cli import main
from leyenda.data import load_examples
from leyenda.errors import LeyendaError
from leyenda.quickstart import run as quickstart_run
from leyenda.quickstart.dataset import write_dataset
from leyenda.quickstart.run import quickstart
from leyenda.training.run_folder import RunFolder


class Trained(Exception):
    """Training would begin here."""


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """A function: arguments of the quickstart -> the recipe that it would train by; nine drawings are made."""
    monkeypatch.chdir(tmp_path)
    recipes = []

    def train(recipe, output, *, resume, talk):
        assert resume
        RunFolder(output).check(recipe, resume)
        recipes.append(recipe)
        raise Trained

    def draw(folder, *, language, seed, pictures):
        return write_dataset(folder, language=language, seed=seed, pictures=9)

    monkeypatch.setattr(quickstart_run, "train", train)
    monkeypatch.setattr(quickstart_run, "write_dataset", draw)

    def run(output="run", **options):
        with pytest.raises(Trained):
            quickstart(output, talk=lambda line: None, **options)
        return recipes[-1]

    return run


def captions(run: str) -> list[str]:
    return [caption for example in load_examples(f"{run}/data") for caption in example.captions]


def pictures(run: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(run).rglob("*.png")}


def test_it_draws_and_trains_the_demo_model_in_the_language(begin):
    english, spanish = begin("en"), begin("es", language="es")
    assert english.model.name == spanish.model.name == "demo"
    assert (english.evaluation.language, spanish.evaluation.language) == ("en", "es")
    assert pictures("en") == pictures("es")
    assert not set(captions("en")) & set(captions("es"))
    assert english.data.source == str(Path("en/data").absolute())


def test_the_seed_is_of_the_drawings_and_the_training(begin):
    first, second = begin("a"), begin("b", seed=5)
    assert (first.training["seed"], second.training["seed"]) == (0, 5)
    assert pictures("a") != pictures("b")


def test_begun_again_it_goes_on_with_the_same_drawings(begin):
    recipe = begin()
    drawn = {path: path.stat().st_mtime_ns for path in Path("run").rglob("*.png")}
    assert begin() == recipe
    assert {path: path.stat().st_mtime_ns for path in Path("run").rglob("*.png")} == drawn


def test_stopped_while_drawing_it_draws_anew(begin, monkeypatch):
    def stopped(folder, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(quickstart_run, "write_dataset", stopped)
        assert main(["quickstart", "--output", "run"]) == 130
    begin()
    assert len(pictures("run")) == 9


def test_another_language_sets_the_earlier_run_aside(begin):
    begin()
    before = captions("run")
    begin(language="es")
    assert captions("run-1") == before != captions("run")
    begin()
    assert captions("run-2") != before
    assert captions("run") == before


@pytest.mark.parametrize("kept", ["photo.png", "data/photo.png", "notes/a.txt"])
def test_a_folder_of_the_user_s_own_is_left_alone(begin, kept, capsys):
    file = Path("mine", kept)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"mine")
    assert main(["quickstart", "--output", "mine"]) == 2
    assert capsys.readouterr().err == "leyenda: error: 'mine' is not empty. Choose another --output.\n"
    assert [path for path in Path("mine").rglob("*") if path.is_file()] == [file]


def test_a_run_at_work_is_not_moved_away(begin):
    begin()
    with RunFolder("run").locked(), pytest.raises(LeyendaError, match="Another process is at work"):
        quickstart("run", language="es", talk=lambda line: None)
    assert captions("run")
