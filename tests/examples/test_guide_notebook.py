"""The notebook runs from top to bottom and ends with captions."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "guide.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """The notebook after it ran in an empty folder; a cell that fails raises here, with its traceback."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def test_it_is_committed_as_it_was_written() -> None:
    """Valid, and without outputs, which would be somebody's and out of date."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_it_opens_in_colab_from_its_own_place() -> None:
    badge = nbformat.read(NOTEBOOK, as_version=4).cells[0].source
    assert "https://colab.research.google.com/github/" in badge
    assert "/blob/main/examples/guide.ipynb" in badge


def test_every_cell_runs(executed: nbformat.NotebookNode) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_pictures_are_shown(executed: nbformat.NotebookNode) -> None:
    shown = [output for cell in executed.cells for output in cell.get("outputs", ()) if "data" in output]
    assert sum("image/png" in output.data for output in shown) == 2


def test_both_ways_to_caption_say_the_same(executed: nbformat.NotebookNode) -> None:
    """The Captioner, and `transformers` alone on the checkpoint."""
    captions = [
        printed(cell)
        for cell in executed.cells
        if cell.source.startswith("captioner =") or "AutoModelForCausalLM" in cell.source
    ]
    assert len(captions) == 2
    assert captions[0]
    assert captions[0] == captions[1]


def test_scores_stand_beside_both_controls(executed: nbformat.NotebookNode) -> None:
    table = next(printed(cell) for cell in executed.cells if "scores_table(" in cell.source)
    assert all(word in table for word in ("wer", "cider_d", "constant", "shuffled"))


def printed(cell: nbformat.NotebookNode) -> str:
    outputs = [
        output for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
    ]
    return "".join(output.text for output in outputs).strip()


def test_progress_is_shown_once(executed: nbformat.NotebookNode) -> None:
    """Not also by the table that `transformers` draws in notebooks."""
    training = next(
        cell for cell in executed.cells if "leyenda.train(" in cell.source and cell.cell_type == "code"
    )
    assert not [output for output in training.outputs if "text/html" in output.get("data", {})]
