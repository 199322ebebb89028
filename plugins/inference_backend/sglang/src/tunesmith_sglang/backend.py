"""The provider: how to start SGLang for a model."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_models import compute_type, configuration, stored_type
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
        dtype, stored = self.settings.dtype, stored_type(config)
        if stored or dtype != "auto":
            dtype, reason = compute_type(dtype, stored, step.placement)
            step.decide(f"dtype {dtype}", reason)
        positions = int((config.get("text_config") or config).get("max_position_embeddings") or 0)
        settings = replace(self.settings, dtype=dtype)
        words = command(settings, str(model.path), name, address, device=device, positions=positions, seed=step.seed)
        return Engine(words, environment(address), start_timeout=START_TIMEOUT, name="SGLang")
