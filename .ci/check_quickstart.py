"""Fail when a quickstart run does not keep its promises; print its scores."""

import json
import sys
from pathlib import Path

from leyenda import evaluate

MOST_WORD_ERRORS = 0.15
TIMES_FEWER = 5
SAME_CAPTIONS_IN_BF16 = 0.98
CIDER_D_IN_BF16 = 0.01
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
    check_bf16(run)


def check_bf16(run: Path) -> None:
    """Captions of the test split in bf16 are those in fp32, but for a few in a hundred."""
    whole, short = (evaluate(run, precision=precision) for precision in ("fp32", "bf16"))
    pairs = list(zip(whole.predictions, short.predictions, strict=True))
    same = sum(one.caption == other.caption for one, other in pairs) / len(pairs)
    scores = [result.scores.values["cider_d"] for result in (whole, short)]
    print(
        f"{run}: {same:.1%} of {len(pairs)} captions are the same in bf16; CIDEr-D {scores[0]:.3f}, {scores[1]:.3f}"
    )
    assert same >= SAME_CAPTIONS_IN_BF16, "too many captions differ in bf16"
    assert abs(scores[1] / scores[0] - 1) <= CIDER_D_IN_BF16, "bf16 changes CIDEr-D"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
