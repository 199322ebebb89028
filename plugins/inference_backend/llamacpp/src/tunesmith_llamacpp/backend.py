"""The provider: how to start the server for a model."""

from __future__ import annotations

import dataclasses
import sys

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith_llamacpp.gguf_file import gguf_file
from tunesmith_llamacpp.settings import LlamaCppSettings


class LlamaCppBackend:
    """Implements `tunesmith.contracts.EngineBackend`: a process of its own, since the library ends its process where it can't go on."""

    def __init__(self, settings: LlamaCppSettings) -> None:
        self.settings = settings

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        arguments = {"model": gguf_file(model.path), "name": name, "host": address.host, "port": address.port}
        arguments |= dataclasses.asdict(self.settings) | {"shutdown_grace": step.settings.shutdown_grace}
        options = [word for key, value in arguments.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        command = (sys.executable, "-m", "tunesmith_llamacpp.server", *options, "--allowed-hosts", *address.allowed_hosts)
        return Engine(command, facts={"logprob_start_len": True}, name="llama.cpp")
