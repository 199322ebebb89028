"""The contracts that plugins are written against: one module per kind, and what they share.

Standard library and pluggy only, so that they live inside any plugin's environment. Everything a plugin needs is here, in
`tunesmith.hookspecs`, and nowhere else in `tunesmith`. A name's module is imported when the name is first asked for: the command line
needs few of them, and importing all would cost it 20 ms.
"""

from tunesmith.contracts.lazy_import import exports

_MODULES = {
    "tunesmith.contracts.kinds.adapter": "Adapter, BeginsFromData, BringsBase, ModulesOnly, OwnRates, Penalising, Stepping",
    "tunesmith.contracts.artifacts": "Artifact, Result, fits",
    "tunesmith.contracts.kinds.device_backend": "Device, DeviceBackend",
    "tunesmith.contracts.kinds.environment_builder": "Condition, Environment, EnvironmentBuilder, EnvironmentDirectory, Recipe, Start, "
    "Watch",
    "tunesmith.contracts.estimates": "Estimate, EstimateRequest",
    "tunesmith.contracts.kinds.evaluator": "Evaluation, Evaluator",
    "tunesmith.contracts.events": "MetricPoint, Remedy, RunFacts, StepFacts",
    "tunesmith.contracts.kinds.executor": "Executor, Job",
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
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split(", ")}
__all__ = sorted(_HOMES)  # type checkers read __init__.pyi
__getattr__ = exports(__name__, _HOMES)
