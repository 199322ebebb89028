"""Puts the tiny pipeline of `tiny/` in reach of the tests here and of the workers that they start."""

import os
import sys
from pathlib import Path

TINY = str(Path(__file__).parent / "tiny")
if TINY not in sys.path:
    sys.path.append(TINY)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), TINY]))
