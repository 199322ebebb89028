"""Puts the engine that stands in for real ones in reach of the tests here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
