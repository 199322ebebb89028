"""OpenVINO in an isolated environment, and a real model for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

import tunesmith
import tunesmith_data
import tunesmith_models
import tunesmith_openvino
import tunesmith_serve
import tunesmith_torch
import tunesmith_transformers
from tunesmith.contracts import Artifact
from tunesmith_openvino.backend import OpenVinoBackend
from tunesmith_openvino.settings import OpenVinoSettings
from tunesmith_sdk.testing.environments import environment_of
from tunesmith_sdk.testing.serving import Elsewhere, Server, serving

PACKAGES = (tunesmith, tunesmith_openvino, tunesmith_transformers, tunesmith_torch, tunesmith_data, tunesmith_models, tunesmith_serve)


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with what the plugin's manifest says that it runs on."""
    return environment_of("tunesmith_openvino", tmp_path_factory.mktemp("environments")).python


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """SmolLM2-135M-Instruct in float32, from the package that ships it."""
    from tunesmith_sdk.testing.real_models import smollm2 as real

    return real(tmp_path_factory.mktemp("smollm2"), "float32")


Serve = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(interpreter: Path, smollm2: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(max_num_seqs=2) as server``: the real model with these settings, ready."""

    def start(model: Artifact = smollm2, **settings: Any) -> AbstractContextManager[Server]:
        backend = Elsewhere(OpenVinoBackend(OpenVinoSettings(**settings)), interpreter, PACKAGES)
        return serving(backend, model, tmp_path_factory.mktemp("api"))

    return start


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[Server]:
    """A server that tests share, in float32 throughout."""
    with serve(dtype="float32", kv_cache_dtype="float32", max_model_len=512, kv_cache_gib=0.25) as running:
        yield running
