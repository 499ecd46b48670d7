"""Pictures in, captions out."""

from leyenda.inference.captioner import Captioner, default_batch_size

__all__ = ["Captioner", "default_batch_size"]
