"""`python -m leyenda` is the command `leyenda`."""

import sys

from leyenda.cli import main

sys.exit(main())
