"""Puts the tiny pipeline of the kernel's tests in reach of the tests here and of the workers that they start."""

import os
import sys
from pathlib import Path

TINY = str(Path(__file__).parents[4] / "core" / "tests" / "tiny")
if TINY not in sys.path:
    sys.path.append(TINY)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), TINY]))
