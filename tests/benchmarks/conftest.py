"""The benchmarks are no part of the package; they lie beside it."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]
