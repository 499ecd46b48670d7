"""The benchmarks are no part of the package: they are found from the root of the source tree."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
