"""Captions and references become scores."""

from leyenda.metrics.controls import controls, human
from leyenda.metrics.registry import METRICS, Metric, better
from leyenda.metrics.scoring import score

__all__ = ["METRICS", "Metric", "better", "controls", "human", "score"]
