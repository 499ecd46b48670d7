"""Any source becomes the same Examples.

>>> sorted(FORMATS)[:2]
['coco', 'csv']
"""

from leyenda.data.check import CheckReport, Problem, check
from leyenda.data.convert import Converted, convert
from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS
from leyenda.data.grid import draw_grid
from leyenda.data.load import load_examples
from leyenda.data.splits import assign_splits, describe_splits
from leyenda.data.summary import Summary, summarize

__all__ = [
    "FORMATS",
    "CheckReport",
    "Converted",
    "Examples",
    "Problem",
    "Summary",
    "assign_splits",
    "check",
    "convert",
    "describe_splits",
    "draw_grid",
    "load_examples",
    "summarize",
]
