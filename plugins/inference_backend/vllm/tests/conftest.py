"""vLLM in an environment of its own, and a real model for it. Nothing is made before a test of the real engine asks."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact
from tunesmith_sdk.steps import LocalStep


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python of an environment with what the plugin's manifest asks for."""
    from tunesmith_sdk.environments import environment_of

    return str(environment_of("tunesmith_vllm", tmp_path_factory.mktemp("environments")).python)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    from tunesmith_sdk.real_models import smollm2

    return smollm2(tmp_path_factory.mktemp("smollm2"), "bfloat16")


class Server:
    """The verb `serve` at work in a thread, its engine in another environment."""

    def __init__(self, step: LocalStep) -> None:
        self.step, self.failure = step, None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert step.reports.ready.wait(900)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        from tunesmith.verbs import serve

        try:
            serve.run(self.step)
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
def serve(python: str, model: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(max_num_seqs=2) as server``: the real model with these settings, ready."""
    from tunesmith.verbs.records import ServeSettings
    from tunesmith_vllm.backend import VllmBackend
    from tunesmith_vllm.settings import VllmSettings

    @contextlib.contextmanager
    def serving(served: Artifact = model, **settings: Any) -> Iterator[Server]:
        backend = VllmBackend(VllmSettings(**{"max_model_len": 1024, "kv_cache": 0.5, **settings}))
        step = LocalStep.make(
            tmp_path_factory.mktemp("api"), name="bot", inputs={"model": served}, settings=ServeSettings(),
            providers={"inference_backend": backend},
        )  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", python)
            server = Server(step)
            try:
                yield server
            finally:
                server.stop()

    return serving


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
