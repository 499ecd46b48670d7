"""Kernels that are there, that are not wanted, and that cannot be compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leyenda.kernels.library import has_tiles, library

SOURCE = Path(__file__).parents[2]
ASKING = "from leyenda.kernels.library import library; print(library() is not None)"


def built(folder, **environment):
    """What `pip install` does with the compiled part, and the files that came of it."""
    command = [
        sys.executable,
        "setup.py",
        "build_ext",
        "--build-lib",
        folder,
        "--build-temp",
        folder / "objects",
    ]
    done = subprocess.run(
        command, cwd=SOURCE, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done, list(folder.glob("leyenda/kernels/_compiled*"))


@pytest.mark.skipif(not has_tiles(), reason="needs a CPU with tiles (AMX)")
def test_they_are_compiled_where_the_tests_run():
    assert library() is not None


@pytest.mark.parametrize(("value", "there"), [("0", False), ("1", library() is not None)])
def test_the_environment_switches_them_off(value, there):
    done = subprocess.run(
        [sys.executable, "-c", ASKING],
        env={**os.environ, "LEYENDA_KERNELS": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{there}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="they are compiled on Linux alone")
def test_compiling_says_nothing(tmp_path):
    done, files = built(tmp_path)
    assert len(files) == 1
    assert "warning" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="they are compiled on Linux alone")
def test_without_a_compiler_the_rest_is_installed(tmp_path):
    done, files = built(tmp_path, CC="/no/such/compiler")
    assert files == []
    assert "leyenda.kernels._compiled" in done.stderr
