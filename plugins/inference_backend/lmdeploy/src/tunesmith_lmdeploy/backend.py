"""The provider: how to start LMDeploy for a model."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_lmdeploy.command import command, environment
from tunesmith_lmdeploy.settings import LmdeploySettings
from tunesmith_models import configuration
from tunesmith_models.serving import engine_dtype, max_positions

START_TIMEOUT = 900.0  # seconds; kernels are compiled and graphs captured before it listens
NO_FLOAT32 = {"float32": ("float16", "LMDeploy computes in no float32")}


class LmdeployBackend:
    """Implements `tunesmith.contracts.EngineBackend`. Its server answers ``/health`` from when the model is loaded, not before."""

    def __init__(self, settings: LmdeploySettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given."""
        device = step.placement.device
        config = configuration(model.path)
        settings = replace(self.settings, dtype=engine_dtype(self.settings.dtype, config, step, instead=NO_FLOAT32))
        words = command(settings, str(model.path), model.format, name, address, device=device, positions=max_positions(config))
        return Engine(words, environment(address), start_timeout=START_TIMEOUT, name="LMDeploy")
