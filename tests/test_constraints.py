"""`constraints.txt` pins what leyenda and its development need, all that these need in turn, and nothing else."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ONLY_WITH_CUDA = re.compile(r"nvidia-|cuda-|triton$")


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): number for name, number in pins}


def asked() -> Iterator[Requirement]:
    """What `pip install --editable ".[dev]"` asks for by itself, and what builds the package."""
    project = PROJECT["project"]
    waiting = [*project["dependencies"], "leyenda[dev]", *PROJECT["build-system"]["requires"]]
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name == "leyenda":
            waiting += [
                line for extra in requirement.extras for line in project["optional-dependencies"][extra]
            ]
        else:
            yield requirement


def needed(requirements: Iterable[Requirement]) -> set[str]:
    """The names of these, and of all that they need on this machine."""
    waiting, seen = list(requirements), set()
    while waiting:
        requirement = waiting.pop()
        for extra in {"", *requirement.extras}:
            if (requirement.name, extra) in seen:
                continue
            seen.add((requirement.name, extra))
            for line in requires(requirement.name) or ():
                inner = Requirement(line)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return {canonicalize_name(name) for name, _ in seen}


@pytest.mark.skipif(sys.platform != "linux", reason="the versions are pinned for Linux")
def test_all_that_is_needed_is_pinned_as_it_is_here_and_nothing_else():
    pins, names = pinned(), needed(asked())
    assert names - pins.keys() == set(), "not pinned"
    assert {name for name in pins.keys() - names if not ONLY_WITH_CUDA.match(name)} == set(), "not needed"
    # A local version (+cpu) is another build of the same.
    here = {name: version(name).partition("+")[0] for name in names}
    assert {name: (here[name], pins[name]) for name in names if here[name] != pins[name]} == {}
