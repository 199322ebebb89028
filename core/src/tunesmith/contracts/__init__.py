"""The contracts that plugins are written against: one module per kind, and what they share.

Standard library and pluggy only, so that they live inside any plugin's environment. Everything a plugin needs is here, in
`tunesmith.hookspecs`, and nowhere else in `tunesmith`.
"""

from tunesmith.contracts.adapter import Adapter
from tunesmith.contracts.artifacts import Artifact, Result, fits
from tunesmith.contracts.dataset_format import DatasetFormat
from tunesmith.contracts.device_backend import Device, DeviceBackend
from tunesmith.contracts.estimates import Estimate, EstimateRequest, ModelShape
from tunesmith.contracts.evaluator import Evaluation, Evaluator
from tunesmith.contracts.events import Remedy, RunFacts, StepFacts
from tunesmith.contracts.executor import Executor, Launch, Process
from tunesmith.contracts.exporter import Exporter
from tunesmith.contracts.inference_backend import Address, InferenceBackend
from tunesmith.contracts.model_loader import ModelInfo, ModelLoader
from tunesmith.contracts.objective import ChatEncoder, Group, LogProbs, LossSum, Objective, TokenSequence
from tunesmith.contracts.provider import API, Grade, Input, Need, Provider, Slot, Verb
from tunesmith.contracts.quantizer import Quantizer
from tunesmith.contracts.rows import Message, Part, Row, message, read_rows, text_of
from tunesmith.contracts.searcher import Searcher
from tunesmith.contracts.settings import setting
from tunesmith.contracts.step import Placement, Step
from tunesmith.contracts.trainer_strategy import TrainerStrategy
from tunesmith.errors import Cancelled, TunesmithError, UserError

__all__ = [
    "API", "Adapter", "Address", "Artifact", "Cancelled", "ChatEncoder", "DatasetFormat", "Device", "DeviceBackend", "Estimate",
    "EstimateRequest", "Evaluation", "Evaluator", "Executor", "Exporter", "Grade", "Group", "InferenceBackend", "Input", "Launch",
    "LogProbs", "LossSum", "Message", "ModelInfo", "ModelLoader", "ModelShape", "Need", "Objective", "Part", "Placement", "Process",
    "Provider", "Quantizer", "Remedy", "Result", "Row", "RunFacts", "Searcher", "Slot", "Step", "StepFacts", "TokenSequence",
    "TrainerStrategy", "TunesmithError", "UserError", "Verb", "fits", "message", "read_rows", "setting", "text_of",
]  # fmt: skip
