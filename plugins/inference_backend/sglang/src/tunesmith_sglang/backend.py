"""The provider: how to start SGLang for a model."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_models import configuration
from tunesmith_models.serving import engine_dtype, max_positions
from tunesmith_sglang.command import command, environment
from tunesmith_sglang.settings import SglangSettings

START_TIMEOUT = 900.0  # seconds; kernels are compiled and graphs captured before it listens


class SglangBackend:
    """Implements `tunesmith.contracts.EngineBackend`. Its server answers ``/health`` from when the model is loaded, not before."""

    def __init__(self, settings: SglangSettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given."""
        device = step.placement.device
        config = configuration(model.path)
        settings = replace(self.settings, dtype=engine_dtype(self.settings.dtype, config, step))
        words = command(settings, str(model.path), name, address, device=device, positions=max_positions(config), seed=step.seed)
        return Engine(words, environment(address), start_timeout=START_TIMEOUT, name="SGLang")
