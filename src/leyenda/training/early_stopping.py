"""Ending before the last epoch, where evaluations bring nothing better any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import EarlyStoppingCallback


class StoppedEarly(EarlyStoppingCallback):  # type: ignore[misc]
    """As `transformers` does it, and it says so.

    Args:
        patience: evaluations without a better score after which training ends.
        metric: name of the score.
        talk: where the line for the user goes.
    """

    def __init__(self, patience: int, metric: str, talk: Callable[[str], None]) -> None:
        super().__init__(patience)
        self._metric = metric
        self._talk = talk

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, **kwargs: Any) -> None:
        """Count, and end if it is time."""
        super().on_evaluate(args, state, control, metrics, **kwargs)
        if control.should_training_stop:
            count = self.early_stopping_patience
            evaluations = "evaluation" if count == 1 else f"{count} evaluations"
            self._talk(
                f"Stopping at step {state.global_step} of {state.max_steps}: the last {evaluations} brought no better "
                f"{self._metric} than the {state.best_metric:.4g} of step {state.best_global_step}."
            )
