"""What is in `tunesmith.contracts`, for type checkers and editors."""

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
from tunesmith.contracts.kinds.executor import Executor, Job
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
    "Job",
    "Kind",
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
]
