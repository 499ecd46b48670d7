"""Pictures in, captions out."""

from leyenda.inference.captioner import Captioner

__all__ = ["Captioner"]
