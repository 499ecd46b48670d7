"""Scores that need a model or Java: METEOR, SPICE, CLIPScore, sentence similarity, perplexity."""

from leyenda.judges.equipment import Equipment
from leyenda.judges.judging import judge, measurements
from leyenda.judges.registry import JUDGES, Judge, check

__all__ = ["JUDGES", "Equipment", "Judge", "check", "judge", "measurements"]
