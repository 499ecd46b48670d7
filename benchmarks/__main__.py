"""`python -m benchmarks [NAME ...]`: run benchmarks, print them, write their results.

The exit code is 1 when a target was not met; a quick trial has none.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.comparison import RESULTS, Benchmark, measure, say
from benchmarks.material import FULL, QUICK, Scale

NAMES = (
    "train-full",
    "train-full-bf16",
    "train-frozen",
    "train-five",
    "train-mfu",
    "caption-greedy",
    "caption-beams",
    "caption-latency",
    "caption-flat",
    "caption-ray",
    "decode",
    "evaluate-memory",
    "cold-start",
    "score-speed",
)
"""Each is a module of this package."""


def load(name: str, folder: Path, scale: Scale) -> Benchmark:
    """The benchmark of that name, its files written."""
    module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
    made = module.benchmark(folder, scale)
    assert isinstance(made, Benchmark)
    return made


def main(words: list[str]) -> int:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is given"
    )
    parser.add_argument("--quick", action="store_true", help="a tiny model: see that it works, in seconds")
    parser.add_argument("--results", type=Path, help="folder of the JSON files (default: benchmarks/results)")
    arguments = parser.parse_args(words)
    if unknown := sorted(set(arguments.names) - set(NAMES)):
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}")
    if arguments.quick and arguments.results is None:
        parser.error("--quick measures nothing worth keeping: say with --results where to write it")
    scale = QUICK if arguments.quick else FULL
    missed = []
    for name in arguments.names or NAMES:
        started = time.monotonic()
        say(f"\n== {name}")
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            result = measure(
                load(name, Path(folder), scale), quick=scale.quick, results=arguments.results or RESULTS
            )
        say(f"({time.monotonic() - started:.0f} s)")
        if not result["all_met"] and not scale.quick:
            missed.append(name)
    if missed:
        say(f"\nTargets not met: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
