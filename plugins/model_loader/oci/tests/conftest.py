"""A registry of the tests' own, a small model in it, and an environment in which nothing else can be reached."""

from pathlib import Path

import pytest

from tunesmith_sdk.testing import hub_models
from tunesmith_sdk.testing.hub_fixtures import alone, module_at

oci_server = module_at(Path(__file__).with_name("oci_server.py"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The registry; ``org/small:latest`` is in it with 300 kB of weights."""
    alone(monkeypatch, tmp_path)
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
