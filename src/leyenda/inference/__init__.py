"""Pictures in, captions out."""

from leyenda.inference.captioner import DEFAULT_BATCH_SIZE, Captioner

__all__ = ["DEFAULT_BATCH_SIZE", "Captioner"]
