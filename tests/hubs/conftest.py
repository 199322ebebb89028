"""Every hub that there is a loader for, each with its server on this machine; a test runs for all of them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.testing import hub_fixtures
from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.loopback_hub import LoopbackHub

LOADERS = Path(__file__).parents[2] / "plugins" / "model_loader"
WANTED = ("config.json", "tokenizer.json", "model.safetensors")


@dataclass(frozen=True)
class Kind:
    """Who speaks for a hub: the file of its server, its loader, and the variables with which its users say where it is and who they are."""

    server: str
    loader: str
    settings: str
    uri: str
    endpoint: str
    token: str

    @property
    def mirrors(self) -> str:
        return f"TUNESMITH_{self.server.partition('/')[0].upper()}_MIRRORS"


HUBS = {
    "huggingface": Kind(
        "huggingface/tests/hub_server.py:HubServer", "tunesmith_huggingface.loader:HuggingFaceLoader",
        "tunesmith_huggingface.settings:HuggingFaceSettings", "hf://org/small", "HF_ENDPOINT", "HF_TOKEN",
    ),
    "modelscope": Kind(
        "modelscope/tests/modelscope_server.py:ModelScopeServer", "tunesmith_modelscope.loader:ModelScopeLoader",
        "tunesmith_modelscope.settings:ModelScopeSettings", "modelscope://org/small", "MODELSCOPE_ENDPOINT", "MODELSCOPE_API_TOKEN",
    ),
    "modelers": Kind(
        "modelers/tests/modelers_server.py:ModelersServer", "tunesmith_modelers.loader:ModelersLoader",
        "tunesmith_modelers.settings:ModelersSettings", "modelers://org/small", "OPENMIND_HUB_ENDPOINT", "TUNESMITH_MODELERS_TOKEN",
    ),
    "oci": Kind(
        "oci/tests/oci_server.py:OCIServer", "tunesmith_oci.loader:OCILoader", "tunesmith_oci.settings:OCISettings",
        "oci://registry.example/org/small", "TUNESMITH_OCI_ENDPOINT", "TUNESMITH_OCI_TOKEN",
    ),
}  # fmt: skip


class Loaded:
    """A hub with the model ``org/small`` on it, and its loader.

    Args:
        local_step: makes steps.
    """

    def __init__(self, kind: Kind, server: LoopbackHub, local_step: Callable[[], Any]) -> None:
        self.kind, self.server, self._local_step = kind, server, local_step
        self.put(model_files(300_000))

    def put(self, files: dict[str, bytes], **flags: bool) -> None:
        """Make these the model's files."""
        self.server.add("org/small", files, **flags)
        self.files = {name: files[name] for name in WANTED if name in files}

    def loader(self, **settings: Any) -> Any:
        """With parts of 1 MiB and quick retries."""
        made = named(self.kind.settings)(part_mib=1, backoff=0.01, timeout=5.0)
        return named(self.kind.loader)(replace(made, **settings))

    def load(self, **settings: Any) -> tuple[dict[str, bytes], Any]:
        """(The files that came, the step with what was logged)."""
        step, loader = self._local_step(), self.loader(**settings)
        loader.fetch(loader.resolve(self.kind.uri, step), step.output, step)
        return {path.relative_to(step.output).as_posix(): path.read_bytes() for path in step.output.rglob("*") if path.is_file()}, step


def named(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def server_of(kind: Kind) -> LoopbackHub:
    path, _, name = kind.server.partition(":")
    return getattr(hub_fixtures.module_at(LOADERS / path), name)()


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """An environment in which nothing else can be reached."""
    hub_fixtures.alone(monkeypatch, tmp_path)


@pytest.fixture
def made(alone, local_step, monkeypatch):
    """``made(name)``: a hub of that kind; its server ends with the test."""
    servers = []

    def make(name: str) -> Loaded:
        kind = HUBS[name]
        servers.append(server_of(kind).__enter__())
        monkeypatch.setenv(kind.endpoint, servers[-1].url)
        return Loaded(kind, servers[-1], local_step)

    yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(params=HUBS)
def hub(request, made):
    return made(request.param)


@pytest.fixture
def mirror(hub):
    """A second server of the same kind with the same model."""
    with server_of(hub.kind) as server:
        server.add("org/small", hub.server.repos["org/small"].commits[next(iter(hub.server.repos["org/small"].commits))])
        yield server


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """``cache(name)``: another cache of downloads from now on."""

    def use(name: str) -> Path:
        monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / name))
        return Path(os.environ["TUNESMITH_CACHE"])

    return use
