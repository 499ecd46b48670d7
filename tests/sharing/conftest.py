"""A run to share, and a hub to share it with, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.hub import FakeHub
from tests.fakes.run_folder import make_run


@pytest.fixture
def run_folder(tmp_path: Path, tiny_checkpoint: Path) -> Path:
    """A complete training run."""
    return make_run(tmp_path / "birds-run", tiny_checkpoint)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A running hub; the client in this process may talk to it when given its address."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    # The client waits up to half a minute between its attempts; tests need not.
    monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
    with FakeHub() as server:
        yield server
