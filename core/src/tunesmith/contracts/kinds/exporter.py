"""Contract of kind ``exporter``: an artifact in another format, without training or calibration.

Capabilities: ``lossless`` (full: the same numbers; partial: another precision). Facts: ``metrics`` (what its result has,
see `Provider`), ``reports`` (it tells of evaluations, the step's input of that name), ``layouts`` (how loaders recognise what it writes,
see `tunesmith.contracts.kinds.model_loader`). Estimator as for quantizers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tunesmith.contracts.artifacts import Artifact, Result
from tunesmith.contracts.step import Step


class Exporter(Protocol):
    def export(self, source: Artifact, output: Path, step: Step) -> Result | None:
        """Write `source` in the new format to `output`."""
