"""Captioning with a Ray cluster: the same files as without it, whatever dies on the way."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from leyenda.errors import LeyendaError
from leyenda.quickstart.dataset import write_dataset
from leyenda.volume import caption_all

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""Of the cluster that runs for all tests: its ports can be reached by others."""


@pytest.fixture(scope="module")
def address(ray_folder: Path) -> Iterator[str]:
    """A cluster of two CPUs that runs for all tests."""
    where = f"127.0.0.1:{free_port()}"
    words = [
        "start",
        "--head",
        "--block",
        "--num-cpus=2",
        "--include-dashboard=false",
        "--disable-usage-stats",
    ]
    words += [f"--temp-dir={ray_folder}", "--node-ip-address=127.0.0.1", f"--port={where.partition(':')[2]}"]
    words += ["--object-store-memory=200000000"]
    with (ray_folder / "head.log").open("wb") as log:
        head = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *words],
            stdout=log,
            stderr=log,
            env=os.environ | TOKEN | {"RAY_worker_niceness": "0"},
            start_new_session=True,
        )
        try:
            wait_until(lambda: answers(where) or head.poll() is not None, 60)
            assert head.poll() is None, (ray_folder / "head.log").read_text()
            yield where
        finally:
            # Asked to end, it waits for its workers; nobody needs them any more.
            for process in processes_of(ray_folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            head.wait()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawings; some of them twice, some damaged in different ways."""
    folder = tmp_path_factory.mktemp("in") / "pictures"
    write_dataset(folder.parent / "data", pictures=200)
    found = sorted((folder.parent / "data" / "train").glob("*.png"))[:150]
    assert len(found) == 150
    folder.mkdir()
    for number, path in enumerate(found):
        shutil.copyfile(path, folder / f"a {number:03} ñ.png")
    whole = found[0].read_bytes()
    for number in (3, 40, 41, 99):
        shutil.copyfile(found[0], folder / f"a {number:03} same.png")
    (folder / "a 005 cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "a 006 empty.png").write_bytes(b"")
    (folder / "a 007 page.png").write_bytes(b"<html>not found</html>")
    (folder / "a 050 gone.png").symlink_to(folder / "nowhere.png")
    return folder


@pytest.fixture(scope="module")
def plain(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that the plain engine writes."""
    output = tmp_path_factory.mktemp("plain") / "captions.jsonl"
    totals = caption_all(pictures, output, **OPTIONS)
    assert totals.failed == 4
    return output.read_bytes()


OPTIONS: dict[str, Any] = {"model": "demo", "device": "cpu", "batch_size": 4}


def test_the_file_is_the_plain_engines(address: str, pictures: Path, plain: bytes, tmp_path: Path) -> None:
    done = leyenda(words_for(pictures, tmp_path, "--address", address), TOKEN)
    _, said = done.communicate(timeout=120)
    assert done.returncode == 3, said
    assert "Traceback" not in said
    assert (tmp_path / "captions.jsonl").read_bytes() == plain
    assert os.listdir(tmp_path) == ["captions.jsonl"]


def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    address: str, ray_folder: Path, pictures: Path, plain: bytes, tmp_path: Path
) -> None:
    run = leyenda(words_for(pictures, tmp_path, "--address", address), TOKEN)
    wait_until(lambda: run.poll() is not None or written(tmp_path) > 3000, 120)
    killed = workers_of(ray_folder)[0]
    os.kill(killed, signal.SIGKILL)
    assert not (tmp_path / "captions.jsonl").exists()
    _, said = run.communicate(timeout=120)
    assert run.returncode == 3, said
    assert killed not in workers_of(ray_folder)
    assert (tmp_path / "captions.jsonl").read_bytes() == plain


def test_a_model_that_cannot_be_loaded_is_said_as_without_ray(
    address: str, pictures: Path, tmp_path: Path
) -> None:
    model, output = tmp_path / "model", tmp_path / "out"
    model.mkdir()
    output.mkdir()
    with pytest.raises(LeyendaError) as plainly:
        caption_all(pictures, output / "captions.jsonl", **OPTIONS | {"model": str(model)})
    done = leyenda([*words_for(pictures, output, "--address", address), "--model", str(model)], TOKEN)
    _, said = done.communicate(timeout=120)
    assert done.returncode == 2
    assert said.splitlines()[-1] == f"leyenda: error: {plainly.value}"
    assert os.listdir(output) == []


def test_addresses_where_no_cluster_is(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leyenda.jobs.ray_cluster._HEALTH_S", 3.0)
    with socket.socket() as other:  # a server that is not Ray's
        other.bind(("127.0.0.1", 0))
        other.listen()
        for wrong, words in (
            (f"127.0.0.1:{free_port()}", "No Ray cluster answers at 127.0.0.1"),
            (f"127.0.0.1:{other.getsockname()[1]}", "what is there does not answer as Ray does"),
            ("cluster", "'cluster' is not the address of a Ray cluster. It is HOST:PORT"),
            ("ray://127.0.0.1:10001", "is not the address of a Ray cluster"),
        ):
            with pytest.raises(LeyendaError) as error:
                caption_all(pictures, tmp_path / "captions.jsonl", engine="ray", address=wrong, **OPTIONS)
            assert words in str(error.value)
            assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == []


def test_without_ray_the_command_says_how_to_install_it(pictures: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['ray'] = None; from leyenda.cli import entry; sys.exit(entry())"
    words = [
        str(pictures),
        "--model",
        "demo",
        "--engine",
        "ray",
        "--output",
        str(tmp_path / "captions.jsonl"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, "caption", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == (
        "leyenda: error: --engine ray needs an optional part of leyenda. "
        'Install it with: pip install "leyenda[ray]"\n'
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("option", [["--workers", "2"], ["--address", "127.0.0.1:6379"]])
def test_options_of_ray_need_ray(option: Sequence[str], pictures: Path, tmp_path: Path) -> None:
    done = leyenda([str(pictures), "--output", str(tmp_path / "a.jsonl"), *option])
    assert done.wait(60) == 2
    assert done.stderr is not None
    assert f"{option[0]} needs --engine ray." in done.stderr.read()


def test_stopped_by_ctrl_c_it_goes_on_where_it_was(pictures: Path, plain: bytes, tmp_path: Path) -> None:
    """A cluster of this machine alone, which is gone afterwards; Ctrl-C reaches all of its processes."""
    output = tmp_path / "captions.jsonl"
    words = [
        str(pictures),
        "--model",
        "demo",
        "--device",
        "cpu",
        "--batch-size",
        "4",
        "--output",
        str(output),
    ]
    words += ["--engine", "ray", "--workers", "2"]
    first = leyenda(words)
    wait_until(lambda: first.poll() is not None or written(tmp_path) > 3000, 120)
    os.killpg(first.pid, signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "leyenda: stopped." in said
    assert not output.exists()
    second = leyenda(words)
    _, said = second.communicate(timeout=120)
    assert second.returncode == 3, said
    assert output.read_bytes() == plain
    assert os.listdir(tmp_path) == ["captions.jsonl"]


def words_for(pictures: Path, folder: Path, *more: str) -> list[str]:
    """Caption with two workers, as `OPTIONS` say."""
    words = [str(pictures), "--model", "demo", "--device", "cpu", "--batch-size", "4"]
    return [*words, "--output", str(folder / "captions.jsonl"), "--engine", "ray", "--workers", "2", *more]


def leyenda(
    words: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.Popen[str]:
    """`leyenda caption`, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "leyenda", "caption", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )


def written(folder: Path) -> int:
    """Bytes of the journal."""
    return sum(path.stat().st_size for path in folder.iterdir())


def workers_of(ray_folder: Path) -> list[int]:
    """Processes with a model, of the cluster that has its files there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if not (process / "cmdline").read_bytes().startswith(b"ray::CaptioningWorker"):
                continue
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if str(ray_folder).encode() in Path(f"/proc/{parent}/cmdline").read_bytes():
                found.append(int(process.name))
    return sorted(found)


def processes_of(ray_folder: Path) -> list[int]:
    """Processes that name the folder in their command: the head and its servers, whose workers end with them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(ray_folder).encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with contextlib.suppress(OSError):
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    return False


def wait_until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
