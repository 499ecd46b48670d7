"""Kill `leyenda caption` at random moments, start it again, and compare what it leaves with an undisturbed run's.

    python tests/volume/kill_many.py --runs 50 --pictures 2000 --kills 3

For each output, every run begins in an empty folder, is ended with `kill -9` at random moments, and is started again
with the same command until it ends by itself. Then every file that it left must have the bytes that the undisturbed
run's has, and there must be no other file. Pictures are drawn here; some are the same, some are broken. The seed is
printed, and `--seed` repeats a run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

OUTPUTS = {
    "jsonl": ("-o", "out/captions.jsonl"),
    "csv": ("-o", "out/captions.csv"),
    "parquet": ("-o", "out/captions.parquet"),
    "webdataset": ("-o", "out", "--to", "webdataset", "--shard-size", "150"),
    "sidecar": ("-o", "out", "--to", "sidecar"),
    "metadata": ("-o", "out", "--to", "metadata"),
}

DRIVER = """
import json, os, sys, time
import torch
torch.set_num_threads(1)
import leyenda.inference, leyenda.models, leyenda.volume, leyenda.volume.plain_engine
import pyarrow.parquet, leyenda.volume.outputs.registry, leyenda.volume.outputs.webdataset
from leyenda.cli import main
print("ready", flush=True)
for line in sys.stdin:
    folder, words, kill_after = json.loads(line)
    # Each run is a process of its own, forked here so that it need not load torch again.
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.dup2(os.open("log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
        os.dup2(2, 1)
        os._exit(main(words))
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended:
        time.sleep(0.002)
        if kill_after is not None and time.monotonic() - started > kill_after:
            os.kill(child, 9)
            ended, status = os.waitpid(child, 0)
            break
        ended, status = os.waitpid(child, os.WNOHANG)
    print(os.waitstatus_to_exitcode(status), time.monotonic() - started, flush=True)
"""


class Commands:
    """Runs `leyenda` command lines as processes that can be killed."""

    def __init__(self) -> None:
        self._driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self._driver.stdout is not None
        assert self._driver.stdout.readline() == "ready\n"

    def run(self, folder: Path, words: list[str], kill_after: float | None = None) -> tuple[int, float]:
        """Run one in a folder, where `log.txt` has what it says.

        Returns:
            The exit code (-9 when it was killed), and how long it took in seconds.
        """
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps([str(folder), words, kill_after]) + "\n")
        self._driver.stdin.flush()
        code, seconds = self._driver.stdout.readline().split()
        return int(code), float(seconds)

    def close(self) -> None:
        """End the process that forks the others."""
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        self._driver.wait(timeout=60)


def draw(folder: Path, pictures: int, seed: int) -> tuple[int, int]:
    """Make a folder of pictures in folders, and return how many can be captioned and how many cannot."""
    import numpy as np
    from PIL import Image

    drawn = np.random.default_rng(seed)
    broken = 0
    for number in range(pictures):
        below = folder / f"{number % 7}"
        below.mkdir(parents=True, exist_ok=True)
        path = below / f"picture {number:06}.png"
        if number % 50 == 49:
            path.write_bytes(b"\x89PNG\r\n\x1a\n no picture")
            broken += 1
            continue
        same = number % 20 == 19
        colours = np.random.default_rng(7) if same else drawn
        small = colours.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(small).resize((48, 48)).save(path)
    return pictures - broken, broken


def everything_in(folder: Path) -> dict[str, str]:
    """Each file with the checksum of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_contents(output: str, folder: Path, names: list[str], captioned: int) -> None:
    """Read an output with nothing of leyenda: every input once, as a caption or a reason."""
    if output == "parquet":
        import pyarrow.parquet as pq

        lines = pq.read_table(folder / "captions.parquet").to_pylist()
    elif output == "csv":
        import csv

        with open(folder / "captions.csv", encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    elif output in ("jsonl", "webdataset"):
        index = folder / ("captions.jsonl" if output == "jsonl" else "index.jsonl")
        lines = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
    else:
        record = (folder / "leyenda-captions.jsonl").read_text(encoding="utf-8").splitlines()
        lines = [line for line in map(json.loads, record) if "image" in line]
        files = [path for path in folder.rglob("*") if path.suffix in (".txt", ".png")]
        assert len(files) == captioned, (len(files), captioned)
        assert all(path.read_bytes() for path in files)
    assert Counter(line["image"] for line in lines) == Counter(names)
    assert sum(1 for line in lines if line.get("caption")) == captioned
    if output == "webdataset":
        samples = []
        for shard in sorted(folder.glob("*.tar")):
            said = Path(f"{shard}.sha256").read_text().split()[0]
            assert hashlib.sha256(shard.read_bytes()).hexdigest() == said
            with tarfile.open(shard) as tar:
                samples += [name for name in tar.getnames() if name.endswith(".txt")]
        assert len(samples) == len(set(samples)) == captioned


def kill_many(
    commands: Commands,
    output: str,
    runs: int,
    kills: int,
    pictures: int,
    seed: int,
    folder: Path,
    *,
    length: int = 8,
    model: str = "demo",
) -> None:
    """One output, all runs.

    Raises:
        AssertionError: something is not as an undisturbed run leaves it.
    """
    moments = random.Random(f"{seed} {output}")
    captioned, broken = draw(folder / "in", pictures, seed)
    names = sorted(str(path.relative_to(folder)) for path in (folder / "in").rglob("*.png"))
    target = folder / "out"
    words = [
        "caption",
        "in",
        "--model",
        "demo",
        "--device",
        "cpu",
        "--max-length",
        str(length),
        *OUTPUTS[output],
    ]
    target.mkdir()
    expected_code = 3 if broken else 0
    code, whole = commands.run(folder, words)
    assert code == expected_code, (folder / "log.txt").read_text()
    check_contents(output, target, names, captioned)
    expected = everything_in(target)
    for number in range(runs):
        shutil.rmtree(target)
        target.mkdir()
        began, killed, worked = time.monotonic(), [], 0.0
        for _ in range(kills):
            code, seconds = commands.run(folder, words, moments.uniform(0.0, whole * 0.5))
            killed.append(f"{seconds:.1f} s" if code == -9 else "ended")
            worked += seconds
            assert code in (-9, expected_code), (folder / "log.txt").read_text()
        code, seconds = commands.run(folder, words)
        whole = min(whole, worked + seconds)  # the machine may have been busier before
        assert code == expected_code, (folder / "log.txt").read_text()
        found = everything_in(target)
        different = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
        assert not different, f"seed {seed}, {output}, run {number}, killed at {killed}: {different[:5]}"
        print(
            f"{output} run {number + 1} of {runs}: killed at {', '.join(killed)} of {whole:.1f} s; "
            f"equal, {len(found)} files, {time.monotonic() - began:.0f} s",
            flush=True,
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--outputs", default="jsonl,parquet,webdataset,sidecar")
    parser.add_argument("--length", type=int, default=8, help="tokens of a caption at most")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    commands = Commands()
    for output in given.outputs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            kill_many(
                commands,
                output,
                given.runs,
                given.kills,
                given.pictures,
                given.seed,
                Path(folder),
                length=given.length,
            )
    commands.close()


if __name__ == "__main__":
    main()
