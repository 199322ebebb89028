"""Contract of kind ``quantizer``: a model in fewer bits.

``accepts``: formats it reads; ``produces``: what it writes. Capabilities: ``device.<name>``. Facts: ``calibration`` (true if it needs
calibration rows: then a plan without ``data`` is refused), ``metrics`` (what its result has, see `Provider`), ``use`` (what it is good for,
by the verb's setting of that name, ``batch``, ``online``, ``edge`` or ``training``: a mapping of ``order``, the highest of which is taken
where the choice is the planner's, ``rule``, why, as a clause that plans say, and ``source``), ``layouts`` (as of exporters). Estimator:
``f(EstimateRequest) -> Estimate``; it refuses settings that can't work on the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tunesmith.contracts.artifacts import Artifact, Result
from tunesmith.contracts.step import Step


class Quantizer(Protocol):
    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result | None:
        """Write the quantized model, tokenizer files included, to `output`; `calibration` is a ``dataset/*``. Deterministic in
        `step.seed`."""
