"""The provider: how to start vLLM for a model."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_models import configuration
from tunesmith_models.serving import engine_dtype, max_positions
from tunesmith_vllm.command import command, environment
from tunesmith_vllm.lora_adapters import lora_adapters
from tunesmith_vllm.settings import VllmSettings

START_TIMEOUT = 900.0  # seconds; its imports alone are 20 s of a core, and a large model's weights take their time


class VllmBackend:
    """Implements `tunesmith.contracts.EngineBackend`. Its server answers ``/health`` from when the model is loaded, not before."""

    def __init__(self, settings: VllmSettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given, TS-SERVE-056 for adapters that can't be served."""
        device = step.placement.device
        config = configuration(model.path)
        settings = replace(self.settings, dtype=engine_dtype(self.settings.dtype, config, step))
        adapters = lora_adapters(step, model, name)
        words = command(
            settings, str(model.path), name, address, device=device, positions=max_positions(config), seed=step.seed,
            shutdown_grace=step.settings.shutdown_grace, adapters=adapters,
        )  # fmt: skip
        return Engine(words, environment(self.settings, device, address), start_timeout=START_TIMEOUT, name="vLLM",
                      facts={"adapters": [adapter.name for adapter in adapters]} if adapters else {})  # fmt: skip
