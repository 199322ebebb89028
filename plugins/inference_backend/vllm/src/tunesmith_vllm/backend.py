"""The provider: how to start vLLM for a model."""

from __future__ import annotations

import json

from tunesmith.contracts import Address, Artifact, Engine, ModelShape, Step
from tunesmith_vllm.command import command, environment
from tunesmith_vllm.settings import VllmSettings

START_TIMEOUT = 900.0  # seconds; its imports alone are 20 s of a core, and a large model's weights take their time


class VllmBackend:
    """Implements `tunesmith.contracts.EngineBackend`. Its server answers ``/health`` from when the model is loaded, not before."""

    def __init__(self, settings: VllmSettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given."""
        device = step.placement.device
        words = command(
            self.settings, str(model.path), name, address, device=device, positions=positions(model), seed=step.seed,
            grace=step.settings.shutdown_grace,
        )  # fmt: skip
        return Engine(words, environment(self.settings, device, address), start_timeout=START_TIMEOUT, name="vLLM")


def positions(model: Artifact) -> int:
    """Longest text that the model allows, in tokens; 0 if its config does not say."""
    file = model.path / "config.json"
    shape = ModelShape.from_config(json.loads(file.read_text("utf-8"))) if file.is_file() else None
    return shape.positions if shape else 0
