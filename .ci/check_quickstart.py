"""Fail when a quickstart run does not keep its promises; print its scores."""

import json
import sys
from pathlib import Path

MOST_WORD_ERRORS = 0.15
TIMES_FEWER = 5
WANTED = (
    "model/model.safetensors",
    "model/config.json",
    "recipe.yaml",
    "history.jsonl",
    "report.html",
    "data/test",
)


def main(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    base, tuned = metrics["base"]["metrics"], metrics["tuned"]["metrics"]
    controls = {name: scores["wer"] for name, scores in metrics["tuned"]["controls"].items()}
    print(
        f"{run}: WER {base['wer']:.3f} before, {tuned['wer']:.3f} after; CIDEr-D {tuned['cider_d']:.3f}; {controls}"
    )
    missing = [name for name in WANTED if not (run / name).exists()]
    assert not missing, f"the run lacks {missing}"
    assert tuned["wer"] <= MOST_WORD_ERRORS, f"WER {tuned['wer']:.3f} is above {MOST_WORD_ERRORS}"
    assert tuned["wer"] * TIMES_FEWER <= base["wer"], "tuning removed too few word errors"
    assert all(tuned["wer"] < wer for wer in controls.values()), "a control is as good as the model"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
