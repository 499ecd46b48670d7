"""Any source becomes the same Examples.

>>> sorted(FORMATS)[:2]
['csv', 'imagefolder']
"""

from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS
from leyenda.data.load import load_examples

__all__ = ["FORMATS", "Examples", "load_examples"]
