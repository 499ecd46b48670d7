"""Any source becomes the same Examples.

>>> sorted(FORMATS)[:2]
['coco', 'csv']
"""

from leyenda.data.convert import Converted, convert
from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS
from leyenda.data.load import load_examples
from leyenda.data.splits import assign_splits

__all__ = ["FORMATS", "Converted", "Examples", "assign_splits", "convert", "load_examples"]
