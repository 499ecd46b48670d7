from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.fakes.hub import FakeHub
from tests.fakes.run_folder import make_run

from leyenda.cli import main

# What a stranger who has only `transformers` does; `sys.argv` holds names of models.
CAPTION_WITH_TRANSFORMERS = """
import json, sys
from PIL import Image
from transformers import AutoModelForCausalLM, AutoProcessor
for name in sys.argv[1:]:
    processor, model = AutoProcessor.from_pretrained(name), AutoModelForCausalLM.from_pretrained(name)
    pictures = [Image.new("RGB", (48, 32), color) for color in ("red", "blue", "white", "black")]
    pixel_values = processor(images=pictures, return_tensors="pt").pixel_values
    tokens = model.generate(pixel_values=pixel_values, max_length=12)
    print(json.dumps(processor.batch_decode(tokens, skip_special_tokens=True)))
for snippet in ("transformers.py", "leyenda.py"):
    exec(open("snippet_" + snippet).read())
"""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        yield server


@pytest.fixture
def run_folder(tmp_path: Path, tiny_checkpoint: Path) -> Path:
    return make_run(tmp_path / "birds-run", tiny_checkpoint)


def python(hub: FakeHub, home: Path, token: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter in a process of its own, for which the fake is the hub."""
    home.mkdir(exist_ok=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, *words],
        env=variables | hub.environment(home, token),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_push_then_a_stranger_downloads_loads_and_captions_the_same(
    hub: FakeHub, tmp_path: Path, run_folder: Path
):
    pushed = python(
        hub, tmp_path / "ana", hub.add_user("ana"), "-m", "leyenda", "push", str(run_folder), "ana/birds"
    )
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout == f"{hub.url}/ana/birds\n"
    assert "To ana/birds" in pushed.stderr
    assert "model.safetensors" in pushed.stderr
    hub.requests.clear()

    card = hub.files("ana/birds")["README.md"].decode()
    snippets = re.findall(r"^```python\n(.*?)^```", card, flags=re.MULTILINE | re.DOTALL)
    bob = tmp_path / "bob"
    bob.mkdir()
    for library in ("transformers", "leyenda"):
        snippet = next(each for each in snippets if f"from {library} import" in each)
        (bob / f"snippet_{library}.py").write_text(snippet)
    Image.new("RGB", (48, 32), "red").save(bob / "photo.jpg")

    local = str(run_folder / "model")
    captioned = python(hub, bob, None, "-c", CAPTION_WITH_TRANSFORMERS, local, "ana/birds")
    assert captioned.returncode == 0, captioned.stderr
    before, after, *from_snippets = captioned.stdout.splitlines()
    assert after == before
    assert len(set(json.loads(before))) > 1, "captions that do not depend on the picture would prove little"
    assert any(request.path.startswith("/objects/") for request in hub.requests), "no weights were downloaded"
    assert len(from_snippets) == 2
    assert len(set(from_snippets)) == 1
    assert from_snippets[0]


def test_the_newer_storage_carries_the_weights_there_and_back(hub: FakeHub, tmp_path: Path, run_folder: Path):
    weights = run_folder / "model" / "model.safetensors"
    hub.use_xet(tmp_path / "xet", weights)
    token = hub.add_user("ana")
    pushed = python(hub, tmp_path / "ana", token, "-m", "leyenda", "push", str(run_folder), "ana/birds")
    assert pushed.returncode == 0, pushed.stderr
    assert len(hub.repository("ana/birds").commits) == 2
    download = (
        "from huggingface_hub import hf_hub_download as get; print(get('ana/birds', 'model.safetensors'))"
    )
    downloaded = python(hub, tmp_path / "bob", None, "-c", download)
    assert downloaded.returncode == 0, downloaded.stderr
    assert Path(downloaded.stdout.strip()).read_bytes() == weights.read_bytes()
    asked = [request.path for request in hub.requests]
    assert any("xet-write-token" in path for path in asked)
    assert any("xet-read-token" in path for path in asked)
    assert not any("/objects/" in path for path in asked)


def test_a_private_repository_needs_its_owner_s_token(hub: FakeHub, tmp_path: Path, run_folder: Path):
    token = hub.add_user("ana")
    words = (
        "-m",
        "leyenda",
        "push",
        str(run_folder),
        "ana/birds",
        "--private",
        "--revision",
        "try",
        "--token",
        token,
    )
    pushed = python(hub, tmp_path / "ana", None, *words)
    assert (pushed.returncode, pushed.stdout) == (0, f"{hub.url}/ana/birds/tree/try\n"), pushed.stderr
    download = "import sys; from huggingface_hub import hf_hub_download as get\n"
    download += "print(get('ana/birds', 'config.json', revision='try'))"
    assert python(hub, tmp_path / "ana", token, "-c", download).returncode == 0
    stranger = python(hub, tmp_path / "bob", hub.add_user("bob"), "-c", download)
    assert "RepositoryNotFoundError" in stranger.stderr


def test_dry_run_shows_the_files_and_the_card_and_needs_no_hub(run_folder: Path, capsys):
    assert main(["push", str(run_folder), "ana/birds", "--dry-run", "--license", "mit"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("---\n")
    assert "license: mit" in shown.out
    assert "model.safetensors" in shown.err
    assert "Not sent: model/optimizer.pt" in shown.err


def test_dry_run_for_a_new_card_of_one_s_own(run_folder: Path, capsys):
    main(["push", str(run_folder), "ana/birds", "--dry-run"])
    card = capsys.readouterr().out
    (run_folder / "README.md").write_text(card + "Seen from the kitchen.\n")
    main(["push", str(run_folder), "ana/birds", "--dry-run"])
    assert capsys.readouterr().out == card + "Seen from the kitchen.\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nowhere", "ana/birds", "--token", "x"], "'nowhere' does not exist"),
        (["nowhere", "ana/birds", "--dry-run"], "'nowhere' does not exist"),
        (["{run}", "ana/birds"], "hf auth login"),
        (["{run}", "a b", "--token", "x"], "'a b' is not a name that the hub takes"),
        (["{run}", "datasets/ana/birds", "--token", "x"], "not a name that the hub takes"),
        (["{run}", "ana/birds", "--token", "x"], "Unset HF_HUB_OFFLINE"),
        (["{run}", "ana/birds", "--privat"], "--private"),
        (["{run}"], "REPO"),
    ],
)
def test_mistakes_end_with_one_line_and_code_2(run_folder: Path, capsys, monkeypatch, words, expected):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert main(["push", *(word.replace("{run}", str(run_folder)) for word in words)]) == 2
    shown = capsys.readouterr()
    assert expected in shown.err
    assert shown.out == ""
    assert sum(line.startswith("leyenda: error: ") for line in shown.err.splitlines()) == 1
    assert "Traceback" not in shown.err
