"""The provider: how to start the server for a model."""

from __future__ import annotations

import dataclasses
import sys

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_models import compute_type, configuration, stored_type
from tunesmith_openvino.estimate import CONVERTED
from tunesmith_openvino.settings import OpenVinoSettings

START_TIMEOUT = 1800.0  # seconds; the model is converted first


class OpenVinoBackend:
    """Implements `tunesmith.contracts.EngineBackend`: a program of its own, that keeps the converted model in the step's work folder."""

    def __init__(self, settings: OpenVinoSettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        dtype, reason = compute_type(self.settings.dtype, stored_type(configuration(model.path)), step.placement)
        step.decide(f"dtype {dtype}", reason)
        done = model.format == CONVERTED
        converted = model.path if done else step.work / f"openvino-{self.settings.weight_format}"
        arguments = {"model": model.path, "converted": converted, "name": name, "host": address.host, "port": address.port}
        arguments |= dataclasses.asdict(dataclasses.replace(self.settings, dtype=dtype)) | {"shutdown_grace": step.settings.shutdown_grace}
        options = [word for key, value in arguments.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        command = (sys.executable, "-m", "tunesmith_openvino.server", *options, "--allowed-hosts", *address.allowed_hosts)
        return Engine(command, {"HF_HUB_OFFLINE": "1"}, start_timeout=START_TIMEOUT, name="OpenVINO")
