"""A disk that fills up ends in one clear line, and the same command goes on when there is room."""

from __future__ import annotations

import subprocess

import pytest
from tests.volume.conftest import draw
from tests.volume.kill_many import everything_in

OUTPUTS = {
    "jsonl": ["-o", "disk/out/out.jsonl"],
    "parquet": ["-o", "disk/out/out.parquet"],
    "webdataset": ["-o", "disk/out", "--to", "webdataset", "--shard-size", "20"],
    "sidecar": ["-o", "disk/out", "--to", "sidecar"],
    "metadata": ["-o", "disk/out", "--to", "metadata"],
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_full_disk(output, caption, here):
    for number in range(60):
        draw(here / "in" / f"{number:03}.png", number)
    disk = here / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)], check=True)
    try:
        (disk / "out").mkdir()
        words = ["in", *OUTPUTS[output]]
        # All but a few kilobytes are taken by something else.
        room = {"jsonl": 4, "parquet": 8}.get(output, 24)
        (disk / "taken").write_bytes(bytes((96 - room) << 10))
        code, _, err = caption(*words)
        assert code == 2
        assert "leyenda: error: The disk is full: " in err
        assert err.endswith("Make room and run the command again.\n")
        assert "Traceback" not in err
        if output != "parquet":
            assert "Go on with:\n  leyenda caption" in err
        assert not (disk / "out" / "out.jsonl").exists()
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        (disk / "taken").unlink()
        assert caption(*words)[0] == 0
        found = everything_in(disk / "out")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    (disk / "out").mkdir(parents=True)
    assert caption(*words)[0] == 0
    assert found == everything_in(disk / "out")
