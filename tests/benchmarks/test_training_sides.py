"""What is measured is `leyenda train` as it is: the sides run, and on as many pictures as they say."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from benchmarks.material import QUICK, write_data, write_model
from benchmarks.training_sides import OwnTraining
from benchmarks.turns import NoMoreTurns, Work


@dataclasses.dataclass
class Once:
    """Turns without a parent: so many, then no more."""

    left: int
    done: list[Work] = dataclasses.field(default_factory=list)

    def begin(self) -> None:
        if len(self.done) == self.left:
            raise NoMoreTurns

    def end(self, work: Work) -> None:
        self.done.append(work)


@pytest.mark.parametrize(
    ("changed", "captions", "expected"),
    [
        ({}, 1, 4),
        ({"captions": "all"}, 5, 20),
        ({"frozen": True}, 1, 4),
    ],
    ids=["full", "five", "frozen"],
)
def test_a_step_is_on_a_whole_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], captions: int, expected: int
) -> None:
    import transformers.trainer

    monkeypatch.setattr(
        transformers.trainer, "DEFAULT_CALLBACKS", list(transformers.trainer.DEFAULT_CALLBACKS)
    )
    monkeypatch.setenv("LEYENDA_CACHE", os.environ.get("LEYENDA_CACHE", str(tmp_path / "cache")))
    side = OwnTraining(
        write_model(tmp_path / "model", QUICK),
        write_data(tmp_path / "data", 8, captions),
        "tiny",
        number_format="fp32",
        precision="fp32",
        batch=4,
        **changed,
    )
    turns = Once(3)
    with pytest.raises(NoMoreTurns):
        side.run(turns)  # type: ignore[arg-type]
    assert [work.units for work in turns.done] == [expected] * 3
    assert all(work.notes["images"] == 4 for work in turns.done)
