"""`cold-start`: one caption from a new process, against importing the libraries that it stands on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, seconds_per_unit
from benchmarks.material import Scale, write_pictures
from benchmarks.turns import Turns, Work

_IMPORTS = (sys.executable, "-c", "import torch, transformers")


@dataclass(frozen=True)
class Command:
    """A whole process, from its start to its end.

    Args:
        label: what it is.
        words: the command.
        answers: whether it has to print a line on standard output.
        from_disk: push Python's files out of the page cache first, as after the machine's start.
    """

    label: str
    words: Sequence[str]
    answers: bool
    from_disk: bool = False
    number_format: str = "fp32"

    def run(self, turns: Turns) -> None:
        self._once()
        while True:
            if self.from_disk:
                _forget_files()
            turns.begin()
            self._once()
            turns.end(Work(1))

    def _once(self) -> None:
        done = subprocess.run(self.words, capture_output=True, text=True)
        if done.returncode or bool(done.stdout.strip()) != self.answers:
            raise RuntimeError(f"exit code {done.returncode}: {done.stdout}{done.stderr}")


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Files go into `folder`."""
    (picture,) = write_pictures(folder / "pictures", 1)
    caption = (str(Path(sys.executable).with_name("leyenda")), "caption", "--model", "demo", str(picture))
    most = 100.0 if scale.quick else 1.5
    return Benchmark(
        name="cold-start",
        work="Caption one picture with the embedded model: the seconds of the whole process.",
        unit="runs",
        claims=[
            Claim("seconds over the imports'", seconds_per_unit, "leyenda", "imports", Target(at_most=most)),
            Claim(
                "seconds over the imports', all files read from disk",
                seconds_per_unit,
                "leyenda_from_disk",
                "imports_from_disk",
                Target(at_most=most),
            ),
        ],
        sides={
            "imports": Command('python -c "import torch, transformers"', _IMPORTS, answers=False),
            "leyenda": Command("leyenda caption --model demo", caption, answers=True),
            "imports_from_disk": Command(
                "the imports, files from disk", _IMPORTS, answers=False, from_disk=True
            ),
            "leyenda_from_disk": Command(
                "leyenda caption, files from disk", caption, answers=True, from_disk=True
            ),
        },
        rounds=scale.of(7, 2),
    )


def _forget_files() -> None:
    """Drop what Python could load from the page cache; what a running process has mapped stays."""
    for path in _loadable_files():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _loadable_files() -> Iterator[Path]:
    import leyenda

    roots = [Path(sys.prefix), Path(sys.base_prefix) / "lib", Path(leyenda.__file__).parent]
    for root in roots:
        for folder, _, names in os.walk(root):
            yield from (Path(folder, name) for name in names if not Path(folder, name).is_symlink())
