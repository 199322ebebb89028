"""A hub of the tests' own, a small model on it, and an environment in which nothing else can be reached."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tunesmith_sdk.testing import hub_models
from tunesmith_sdk.testing.loopback_hub import STRANGERS


def _beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


modelscope_server = _beside("modelscope_server")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub server; ``org/small`` is on it with 300 kB of weights."""
    for variable in STRANGERS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    with modelscope_server.ModelScopeServer() as server:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        server.add("org/small", hub_models.model_files(300_000))
        yield server


@pytest.fixture
def step(hub, local_step):
    return local_step()


@pytest.fixture
def loader(hub):
    """``loader(**settings)``: quick retries."""
    from tunesmith_modelscope.loader import ModelScopeLoader
    from tunesmith_modelscope.settings import ModelScopeSettings

    def make(**settings):
        return ModelScopeLoader(ModelScopeSettings(**({"part_mib": 1, "backoff": 0.01, "timeout": 5.0} | settings)))

    return make


@pytest.fixture
def load(loader, step):
    """``load(uri)``: (what was resolved, the files that were fetched)."""

    def run(uri: str = "modelscope://org/small", **settings):
        loading = loader(**settings)
        info = loading.resolve(uri, step)
        loading.fetch(info, step.output, step)
        return info, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}

    return run
