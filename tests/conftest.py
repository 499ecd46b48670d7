"""What every test can ask for: an isolated home, the shared folder where there is one, tiny models."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

# No test may reach a hub: what it would need is an error here, as on a machine without network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Where everything that tests need is there, a test that skips or is expected to fail is a failure."""
    report = yield
    if os.environ.get("CI") == "true" and SHARED.is_dir() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not skip here: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home and cache, so that no test sees what another one, or the developer, left."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    return home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs and oracle scores; a user's machine has none."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (real photographs and oracle scores), which is not on this machine")
    return SHARED


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[Path]:
    """Ray's files. Its sockets lie there, and have to have short paths, which those of the tests' folder are not."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new GIT checkpoint (32 x 32 pixels, 32 wide) whose captions are noise, but not all the same."""
    import torch

    from leyenda import models

    torch.set_num_threads(1)
    words = [
        "a red dog runs on the grass",
        "un niño está aquí",
        "two blue birds over a house",
        "A cat sleeps.",
    ]
    new = models.create("tiny", words * 3, seed=7, device="cpu")
    folder = tmp_path_factory.mktemp("tiny") / "checkpoint"
    new.save(folder)
    return folder


@pytest.fixture(scope="session")
def java() -> str:
    """The `java` of this machine; CI installs it, and the jars with it."""
    found = shutil.which("java")
    if found is None:
        pytest.skip("needs Java, which is not on this machine (Debian: apt install default-jre-headless)")
    if find_spec("pycocoevalcap") is None:
        pytest.skip('needs the jars of the official evaluation: pip install "leyenda[java]"')
    return found
