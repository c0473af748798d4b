"""Run folders made by hand are at hand."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]
