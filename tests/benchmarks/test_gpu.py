"""The benchmarks for a GPU machine run on torch, transformers, Pillow and this source tree alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NOT_THERE = (
    "click",
    "datasets",
    "jinja2",
    "jiwer",
    "matplotlib",
    "pandas",
    "pyarrow",
    "pydantic",
    "rapidfuzz",
)


def test_all_run_at_a_tiny_size_without_what_a_gpu_machine_lacks(tmp_path: Path) -> None:
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in NOT_THERE)
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{blocked}")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "gpu.py"),
        "--tiny",
        "--results",
        str(tmp_path / "results"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    captioning = {"generate", "generate_bf16", "leyenda", "leyenda_alone", "leyenda_fp32"}
    for name, sides in {
        "gpu-train": {"guide", "leyenda"},
        "gpu-train-compiled": {"leyenda", "compiled"},
        "gpu-caption-greedy": captioning,
        "gpu-caption-beams": captioning,
    }.items():
        result = json.loads((tmp_path / "results" / f"{name}.json").read_text())
        assert result["quick"] is True
        assert set(result["sides"]) == sides
        assert all(side["per_second"]["min"] > 0 for side in result["sides"].values())
