"""Asks the planner's estimates about steps on a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith_cli.api import StepEstimator
from tunesmith_model.source import Model

if TYPE_CHECKING:
    from tunesmith.contracts import Device
    from tunesmith.planning.pipeline.step_syntax import ProviderSpec
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

AUTO = "auto"


def here(model: Model, registry: Registry) -> StepEstimator:
    """On this machine."""
    from tunesmith.planning.estimates.estimators import Estimators
    from tunesmith.planning.inputs.step_outputs import Product
    from tunesmith.planning.placement.devices import probe

    product = Product("model", "model", model.format, model.bytes, config=model.config, model_bytes=model.bytes)
    estimators = Estimators()
    return StepEstimator(registry, probe(registry, estimators), product, estimators=estimators)


def on(steps: StepEstimator, backend: str, devices: Sequence[Device]) -> StepEstimator:
    """The same on other devices."""
    found: Mapping[str, Sequence[Device]] = {backend: devices}
    return replace(steps, devices=found)


def wanted(verb: ProviderRecord, main: str = AUTO) -> dict[str, ProviderSpec]:
    """The provider of each of a verb's slots: what the planner chooses, but for its main one."""
    from tunesmith.planning.pipeline.step_syntax import ProviderSpec

    slots = {slot.name: ProviderSpec(slot.kind, slot.default or AUTO, {}, ("model", slot.name)) for slot in verb.slots}
    return {**slots, verb.main_kind: ProviderSpec(verb.main_kind, main, {}, ("model", verb.main_kind))}
