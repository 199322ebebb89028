"""vLLM in an isolated environment, and a real model for it. Nothing is made before a test of the real engine asks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tunesmith.contracts import Artifact
from tunesmith_sdk.testing.serving import Elsewhere, Server, serving


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python of an environment with what the plugin's manifest asks for."""
    from tunesmith_sdk.testing.environments import environment_of

    return str(environment_of("tunesmith_vllm", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    from tunesmith_sdk.testing.real_models import smollm2

    return smollm2(tmp_path_factory.mktemp("smollm2"), "bfloat16")


Serve = Callable[..., contextlib.AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(python: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(max_num_seqs=2) as server``: the real model, or another one, with these settings, ready."""
    import tunesmith
    import tunesmith_serve
    import tunesmith_vllm
    from tunesmith_vllm.backend import VllmBackend
    from tunesmith_vllm.settings import VllmSettings

    def start(
        served: Artifact | None = None,
        adapters: Mapping[str, Artifact] = MappingProxyType({}),
        step: Mapping[str, Any] = MappingProxyType({}),
        **settings: Any,
    ) -> contextlib.AbstractContextManager[Server]:
        backend = VllmBackend(VllmSettings(**{"max_model_len": 1024, "kv_cache_gib": 0.5, **settings}))
        engine = Elsewhere(backend, Path(python), (tunesmith, tunesmith_serve, tunesmith_vllm))
        served = served or request.getfixturevalue("model")
        return serving(engine, served, tmp_path_factory.mktemp("api"), adapters=adapters, settings=step)

    return start


@pytest.fixture
def processes_below() -> Callable[[Path], list[str]]:
    """``processes_below(folder)``: numbers of the processes that work there. (vLLM overwrites its names and variables.)"""

    def find(folder: Path) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink().is_relative_to(folder):
                    found.append(process.name)
        return found

    return find
