"""Any number of pictures in, captions out; nothing is lost, and nothing is done twice."""

from leyenda.volume.captioning import caption_all, open_run
from leyenda.volume.totals import Totals

__all__ = ["Totals", "caption_all", "open_run"]
