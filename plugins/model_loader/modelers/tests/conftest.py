"""A hub of the tests' own, a small model on it, and an environment in which nothing else can be reached."""

from pathlib import Path

import pytest

from tunesmith_sdk.testing import hub_models
from tunesmith_sdk.testing.hub_fixtures import alone, module_at

modelers_server = module_at(Path(__file__).with_name("modelers_server.py"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub server; ``org/small`` is on it with 300 kB of weights."""
    alone(monkeypatch, tmp_path)
    with modelers_server.ModelersServer() as server:
        monkeypatch.setenv("OPENMIND_HUB_ENDPOINT", server.url)
        server.add("org/small", hub_models.model_files(300_000))
        yield server


@pytest.fixture
def step(hub, local_step):
    return local_step()


@pytest.fixture
def loader(hub):
    """``loader(**settings)``: quick retries."""
    from tunesmith_modelers.loader import ModelersLoader
    from tunesmith_modelers.settings import ModelersSettings

    def make(**settings):
        return ModelersLoader(ModelersSettings(**({"part_mib": 1, "backoff": 0.01, "timeout": 5.0} | settings)))

    return make


@pytest.fixture
def load(loader, step):
    """``load(uri)``: (what was resolved, the files that were fetched)."""

    def run(uri: str = "modelers://org/small", **settings):
        loading = loader(**settings)
        info = loading.resolve(uri, step)
        loading.fetch(info, step.output, step)
        return info, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}

    return run
