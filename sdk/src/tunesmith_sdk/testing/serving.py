"""A model served by a backend under test, in a test's own process::

with serving(TiltBackend(TiltSettings()), Artifact("model/hf", tiny_model()), tmp_path) as server:
    assert server.client().chat.completions.create(model="bot", messages=[...]).choices
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunesmith.contracts import Address, Artifact, Engine, Step
from tunesmith.contracts.artifacts import numbered
from tunesmith_sdk.local_step import LocalStep

UP, END = 900.0, 60.0  # seconds until it answers, and until it has ended


class Server:
    """The verb `serve` at work in a thread.

    Args:
        step: its step; the backend is its provider.

    Raises whatever keeps it from coming up.
    """

    def __init__(self, step: LocalStep) -> None:
        self.step = step
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert step.reports.ready.wait(UP), f"it was not up after {UP:.0f} s"
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        from tunesmith_serve import verb

        try:
            verb.run(self.step)
        except BaseException as error:
            self.failure = error
            self.step.reports.ready.set()

    @property
    def url(self) -> str:
        """Where it answers, ending in ``/v1``."""
        return str(self.step.reports.facts["url"])

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def client(self, **options: Any) -> Any:
        """An `openai.OpenAI` for it, that tries nothing twice."""
        import openai

        return openai.OpenAI(**{"base_url": self.url, "api_key": "none", "max_retries": 0, **options})

    def wait(self) -> None:
        """Until it has ended by itself."""
        self._thread.join(END)
        assert not self._thread.is_alive(), f"it has not ended within {END:.0f} s"

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.step.cancelled.set()
        self.wait()


@contextmanager
def serving(
    backend: Any, model: Artifact | None, directory: Path, *, name: str = "bot", port: int = 0,
    adapters: Mapping[str, Artifact] = MappingProxyType({}), settings: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Server]:  # fmt: skip
    """An endpoint for the block.

    Args:
        backend: has `serve` or `engine` (`tunesmith.contracts.kinds.inference_backend`).
        directory: an empty one, for its step.
        name: the model's, in requests.
        port: 0: any that is free.
        adapters: by the name of the step that they come from, served beside the model.
        settings: further ones of the verb `serve`.
    """
    from tunesmith_serve.settings import ServeSettings

    providers = {"inference_backend": backend}
    keys = numbered("adapters", len(adapters))
    inputs = ({"model": model} if model else {}) | dict(zip(keys, adapters.values(), strict=True))
    step = LocalStep.make(
        directory, name=name, inputs=inputs, sources=dict(zip(keys, adapters, strict=True)), providers=providers,
        settings=ServeSettings(**{"port": port, **settings}),
    )  # fmt: skip
    server = Server(step)
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Elsewhere:
    """A backend whose engine is started by another interpreter, as the verb does in an isolated environment.

    Args:
        python: see `tunesmith_sdk.testing.environments.environment_of`.
        packages: modules of this environment that the engine's program imports.
    """

    backend: Any
    python: Path
    packages: tuple[Any, ...] = ()

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        engine: Engine = self.backend.engine(model, name, address, step)
        paths = ":".join(str(Path(module.__file__).parents[1]) for module in self.packages)
        variables = {**engine.environment, **({"PYTHONPATH": paths} if paths else {})}
        return replace(engine, command=(str(self.python), *engine.command[1:]), environment=variables)

    def __getattr__(self, name: str) -> Any:
        """What else the backend can do."""
        return getattr(self.backend, name)
