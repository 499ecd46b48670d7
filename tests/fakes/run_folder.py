"""A training run's folder as `leyenda train` leaves it, made from a checkpoint without training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

RECIPE = """\
data:
  source: /home/ana/pictures/birds
model:
  name: microsoft/git-base
training:
  learning_rate: 1.0e-05
  hub_token: hf_very_secret
"""

NORMALIZATION = {"wer": "lower case | no punctuation", "rougeL": "lower case, Porter stems"}


def scores(model: str, wer: float, rouge: float) -> dict[str, object]:
    """As `leyenda evaluate --json` prints them."""
    return {
        "model": model,
        "images": 20,
        "skipped": 1,
        "metrics": {"wer": wer, "rougeL": rouge, "distinct": 0.5},
        "normalization": NORMALIZATION,
        "controls": {
            "constant": {"wer": 0.9, "rougeL": 0.25, "caption": "a bird"},
            "shuffled": {"wer": 1.1, "rougeL": 0.1},
        },
    }


def make_run(folder: Path, checkpoint: Path) -> Path:
    """Write a whole run into a folder: the model, its record, and what must stay at home."""
    shutil.copytree(checkpoint, folder / "model")
    (folder / "recipe.yaml").write_text(RECIPE)
    metrics = {
        "base": scores("microsoft/git-base", 1.4, 0.1),
        "tuned": scores("/home/ana/runs/birds/model", 0.4, 0.6),
    }
    splits = {"train": 160, "validation": 19, "test": 21}
    (folder / "data.json").write_text(json.dumps({"pictures": 200, "splits": splits, "digest": "0"}))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    lines = [
        {
            "image": f"{i}.jpg",
            "caption": f"a bird number {i}",
            "references": [f"the bird of day {i} on a branch"],
        }
        for i in range(12)
    ]
    lines.append({"image": "12.jpg", "error": {"code": "truncated", "message": "cut"}})
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "history.jsonl").write_text('{"step": 50, "loss": 2.0}\n')
    (folder / "report.html").write_text("<html></html>")
    last = folder / "checkpoints" / "checkpoint-50"
    last.mkdir(parents=True)
    for name in ("optimizer.pt", "trainer_state.json", "photo.jpg"):
        (last / name).write_bytes(b"private")
        (folder / "model" / name).write_bytes(b"private")
    return folder
