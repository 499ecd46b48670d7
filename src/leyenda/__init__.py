"""leyenda: fine-tune a captioning model on your own pictures, score it honestly, caption with it.

Importing this package loads neither torch nor transformers; each public name is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from leyenda.data import Examples, load_examples
    from leyenda.errors import LeyendaError
    from leyenda.inference import Captioner
    from leyenda.jobs.evaluate import evaluate
    from leyenda.jobs.train import train
    from leyenda.records import Caption, Example, ImageSource, PictureRow, Prediction, Scores, Skipped
    from leyenda.text_control import PromptTemplate, TextRules
    from leyenda.volume import caption_all

_HOME_OF = {
    "Caption": "leyenda.records",
    "Captioner": "leyenda.inference",
    "Example": "leyenda.records",
    "Examples": "leyenda.data",
    "ImageSource": "leyenda.records",
    "LeyendaError": "leyenda.errors",
    "PictureRow": "leyenda.records",
    "Prediction": "leyenda.records",
    "PromptTemplate": "leyenda.text_control",
    "Scores": "leyenda.records",
    "Skipped": "leyenda.records",
    "TextRules": "leyenda.text_control",
    "caption_all": "leyenda.volume",
    "evaluate": "leyenda.jobs.evaluate",
    "load_examples": "leyenda.data",
    "train": "leyenda.jobs.train",
}

__all__ = [
    "Caption",
    "Captioner",
    "Example",
    "Examples",
    "ImageSource",
    "LeyendaError",
    "PictureRow",
    "Prediction",
    "PromptTemplate",
    "Scores",
    "Skipped",
    "TextRules",
    "caption_all",
    "evaluate",
    "load_examples",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'leyenda' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
