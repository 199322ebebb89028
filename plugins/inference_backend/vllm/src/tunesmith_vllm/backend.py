"""The provider: how to start vLLM for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_models import configuration
from tunesmith_models.serving import engine_dtype, max_positions
from tunesmith_serve.updatable import SampledCompletion, SamplingOptions
from tunesmith_vllm import policy_weights
from tunesmith_vllm.command import command, environment
from tunesmith_vllm.lora_adapters import check_policy, lora_adapters
from tunesmith_vllm.policy_engine import PolicyEngine
from tunesmith_vllm.settings import TAKES, VllmSettings

NO_FLOAT32 = ("gptq", "awq")  # packings that vLLM does not compute in it (its `get_supported_act_dtypes`)
START_TIMEOUT = 900.0  # seconds; its imports alone are 20 s of a core, and a large model's weights take their time


class VllmBackend:
    """Implements `tunesmith.contracts.EngineBackend`, and of `tunesmith_serve.updatable` `Updatable` and `Sleeps`. Its server answers
    ``/health`` from when the model is loaded, not before."""

    takes = TAKES
    #: nats a token from the training step's log-probabilities: twice what was measured (docs/grpo.md). Of other types nothing was, and they
    #: have the same bound
    distance: Mapping[str, float] = MappingProxyType({"bfloat16": 0.1})

    def __init__(self, settings: VllmSettings) -> None:
        self.settings, self._policy, self.sleeps = settings, PolicyEngine(), settings.enable_sleep_mode

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """Raises UserError TS-SERVE-030 for options that can't be given, TS-SERVE-056 for adapters that can't be served."""
        device = step.placement.device
        config = configuration(model.path)
        settings = replace(self.settings, dtype=engine_dtype(self.settings.dtype, config, step, instead=self._instead(config)))
        self._policy.base = str(model.path)
        adapters, updatable = lora_adapters(step, model, name), bool(step.settings.updatable)
        words = command(
            settings, str(model.path), name, address, device=device, positions=max_positions(config), seed=step.seed,
            shutdown_grace=step.settings.shutdown_grace, adapters=adapters, updatable=updatable,
        )  # fmt: skip
        facts: dict[str, Any] = {"adapters": [adapter.name for adapter in adapters]} if adapters else {}
        variables = environment(self.settings, device, address, token=self._policy.token if updatable else "")
        facts |= {"dtype": settings.dtype} if updatable else {}
        return Engine(words, variables, start_timeout=START_TIMEOUT, name="vLLM", facts=facts)

    def _instead(self, config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        """Where nobody says a type and the device computes in float32."""
        method = (config.get("quantization_config") or {}).get("quant_method", "")
        if self.settings.dtype != "auto" or method not in NO_FLOAT32:
            return {}
        return {"float32": ("bfloat16", f"vLLM computes {method} in bfloat16 or float16 alone, native to the device or not")}

    def load(self, url: str, weights: Artifact, version: int) -> None:
        """Raises UserError TS-SERVE-065 for weights that vLLM does not compute as they were trained."""
        check_policy(weights, self.settings)
        self._policy.load(url, weights, version)

    def sleep(self, url: str) -> None:
        self._policy.change(url, policy_weights.SLEEP)

    def wake(self, url: str) -> None:
        self._policy.change(url, policy_weights.WAKE)

    def complete(
        self, url: str, prompts: Sequence[Sequence[int]], seeds: Sequence[int], options: SamplingOptions
    ) -> Sequence[Sequence[SampledCompletion]]:
        return self._policy.complete(url, prompts, seeds, options)
