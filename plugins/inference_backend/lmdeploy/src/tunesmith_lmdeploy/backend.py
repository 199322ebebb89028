"""The provider: how to start LMDeploy for a model."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_lmdeploy.command import command, environment
from tunesmith_lmdeploy.settings import LmdeploySettings
from tunesmith_models import compute_type, configuration, stored_type

START_TIMEOUT = 900.0  # seconds; kernels are compiled and graphs captured before it listens


class LmdeployBackend:
    """Implements `tunesmith.contracts.EngineBackend`. Its server answers ``/health`` from when the model is loaded, not before."""

    def __init__(self, settings: LmdeploySettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given."""
        device = step.placement.device
        config = configuration(model.path)
        dtype, stored = self.settings.dtype, stored_type(config)
        if stored or dtype != "auto":
            dtype, reason = compute_type(dtype, stored, step.placement)
            if dtype == "float32":
                dtype, reason = "float16", "LMDeploy computes in no float32"
            step.decide(f"dtype {dtype}", reason)
        positions = int((config.get("text_config") or config).get("max_position_embeddings") or 0)
        settings = replace(self.settings, dtype=dtype)
        words = command(settings, str(model.path), model.format, name, address, device=device, positions=positions)
        return Engine(words, environment(address), start_timeout=START_TIMEOUT, name="LMDeploy")
