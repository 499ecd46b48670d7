"""Captioning checkpoints: load any, create new ones, generate captions, save.

Everything here is a plain Hugging Face checkpoint: what `CaptioningModel.save` writes, `transformers` loads.
"""

from leyenda.models.checkpoint import CaptioningModel
from leyenda.models.generation import GenerationSettings
from leyenda.models.loading import DEFAULT_MODEL, load, load_tokenizer, resolve_name
from leyenda.models.new import SIZES, create

__all__ = [
    "DEFAULT_MODEL",
    "SIZES",
    "CaptioningModel",
    "GenerationSettings",
    "create",
    "load",
    "load_tokenizer",
    "resolve_name",
]
