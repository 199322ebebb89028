"""The contracts that plugins are written against: one module per kind, and what they share.

Standard library and pluggy only, so that they live inside any plugin's environment. Everything a plugin needs is here, in
`tunesmith.hookspecs`, and nowhere else in `tunesmith`. A name's module is imported when the name is first asked for: the command line
needs few of them, and importing all would cost it 20 ms.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith.contracts.artifacts import Artifact, Result, fits
    from tunesmith.contracts.estimates import Estimate, EstimateRequest
    from tunesmith.contracts.events import MetricPoint, Remedy, RunFacts, StepFacts
    from tunesmith.contracts.kinds.adapter import Adapter, BeginsFromData, BringsBase, ModulesOnly, OwnRates, Penalising, Stepping
    from tunesmith.contracts.kinds.device_backend import Device, DeviceBackend
    from tunesmith.contracts.kinds.environment_builder import (
        Condition,
        Environment,
        EnvironmentBuilder,
        EnvironmentDirectory,
        Recipe,
        Start,
        Watch,
    )
    from tunesmith.contracts.kinds.evaluator import Evaluation, Evaluator
    from tunesmith.contracts.kinds.executor import Executor, Launch, Process
    from tunesmith.contracts.kinds.exporter import Exporter
    from tunesmith.contracts.kinds.inference_backend import Address, Engine, EngineBackend, InferenceBackend
    from tunesmith.contracts.kinds.model_loader import ModelInfo, ModelLoader
    from tunesmith.contracts.kinds.quantizer import Quantizer
    from tunesmith.contracts.kinds.trainer_strategy import Explains, Mesh, ModelSource, TrainerStrategy, Training
    from tunesmith.contracts.provider import API, Grade, Input, Kind, Need, Provider, Slot, Verb
    from tunesmith.contracts.settings import setting
    from tunesmith.contracts.step import Placement, Step
    from tunesmith.errors import Cancelled, TunesmithError, UserError

__all__ = [
    "API",
    "Adapter",
    "Address",
    "Artifact",
    "BeginsFromData",
    "BringsBase",
    "Cancelled",
    "Condition",
    "Device",
    "DeviceBackend",
    "Engine",
    "EngineBackend",
    "Environment",
    "EnvironmentBuilder",
    "EnvironmentDirectory",
    "Estimate",
    "EstimateRequest",
    "Evaluation",
    "Evaluator",
    "Executor",
    "Explains",
    "Exporter",
    "Grade",
    "InferenceBackend",
    "Input",
    "Kind",
    "Launch",
    "Mesh",
    "MetricPoint",
    "ModelInfo",
    "ModelLoader",
    "ModelSource",
    "ModulesOnly",
    "Need",
    "OwnRates",
    "Penalising",
    "Placement",
    "Process",
    "Provider",
    "Quantizer",
    "Recipe",
    "Remedy",
    "Result",
    "RunFacts",
    "Slot",
    "Start",
    "Step",
    "StepFacts",
    "Stepping",
    "TrainerStrategy",
    "Training",
    "TunesmithError",
    "UserError",
    "Verb",
    "Watch",
    "fits",
    "setting",
]  # fmt: skip

_MODULES = {
    "tunesmith.contracts.kinds.adapter": "Adapter, BeginsFromData, BringsBase, ModulesOnly, OwnRates, Penalising, Stepping",
    "tunesmith.contracts.artifacts": "Artifact, Result, fits",
    "tunesmith.contracts.kinds.device_backend": "Device, DeviceBackend",
    "tunesmith.contracts.kinds.environment_builder": "Condition, Environment, EnvironmentBuilder, EnvironmentDirectory, Recipe, Start, "
    "Watch",
    "tunesmith.contracts.estimates": "Estimate, EstimateRequest",
    "tunesmith.contracts.kinds.evaluator": "Evaluation, Evaluator",
    "tunesmith.contracts.events": "MetricPoint, Remedy, RunFacts, StepFacts",
    "tunesmith.contracts.kinds.executor": "Executor, Launch, Process",
    "tunesmith.contracts.kinds.exporter": "Exporter",
    "tunesmith.contracts.kinds.inference_backend": "Address, Engine, EngineBackend, InferenceBackend",
    "tunesmith.contracts.kinds.model_loader": "ModelInfo, ModelLoader",
    "tunesmith.contracts.provider": "API, Grade, Input, Kind, Need, Provider, Slot, Verb",
    "tunesmith.contracts.kinds.quantizer": "Quantizer",
    "tunesmith.contracts.settings": "setting",
    "tunesmith.contracts.step": "Placement, Step",
    "tunesmith.contracts.kinds.trainer_strategy": "Explains, Mesh, ModelSource, TrainerStrategy, Training",
    "tunesmith.errors": "Cancelled, TunesmithError, UserError",
}
__getattr__ = exports(__name__, {name: module for module, names in _MODULES.items() for name in names.split(", ")})
