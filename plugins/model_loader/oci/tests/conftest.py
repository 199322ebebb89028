"""A registry of the tests' own, a small model in it, and an environment in which nothing else can be reached."""

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


oci_server = _beside("oci_server")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The registry; ``org/small:latest`` is in it with 300 kB of weights."""
    for variable in (*STRANGERS, "TUNESMITH_OCI_ENDPOINT", "TUNESMITH_OCI_MIRRORS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    with oci_server.OCIServer() as server:
        server.place = server.url.removeprefix("http://")
        server.add("org/small", hub_models.model_files(300_000))
        yield server


@pytest.fixture
def load(hub, local_step):
    """``load("org/small:tag")``: (what was resolved, the files that were fetched)."""
    from tunesmith_oci.loader import OCILoader
    from tunesmith_oci.settings import OCISettings

    def run(name: str = "org/small", between=lambda: None, **settings):
        step = local_step()
        loader = OCILoader(OCISettings(**({"part_mib": 1, "backoff": 0.01, "timeout": 5.0} | settings)))
        info = loader.resolve(f"oci://{hub.place}/{name}", step)
        between()
        loader.fetch(info, step.output, step)
        return info, {path.relative_to(step.output).as_posix(): path.read_bytes() for path in step.output.rglob("*") if path.is_file()}

    return run
