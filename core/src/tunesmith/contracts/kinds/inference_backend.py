"""Contract of kind ``inference_backend``: a model behind the OpenAI API.

A backend has one of two shapes: it serves in the worker itself (`InferenceBackend`), or it names a program of its own that does, which the
verb that serves starts, watches and ends (`EngineBackend`).

``accepts``: model formats it loads; ``produces``: ``("endpoint/openai",)``, or ``("endpoint/openai+*",)`` where it takes models with a
role, whose endpoints then have it. Capabilities: ``api.chat``, ``api.completions``, ``api.embeddings``, ``api.pooling``, ``api.stream``,
``api.logprobs``, ``api.echo`` (``/v1/completions`` with ``echo``, ``logprobs`` and a prompt of token ids gives the prompt's
log-probabilities), ``batching.continuous``, ``updatable`` (it can write completions for a model that is in training, and takes its weights
each time they have changed; how it is asked, the verb that has it do so says), ``device.<name>``. Estimator: ``f(EstimateRequest) ->
Estimate``; its ``seconds`` are those in which a load that is expected (``step_settings["expect"]``) is answered once. Variants offer
settings that carry it. Facts:
``elsewhere`` true: what it serves runs elsewhere, so a step may give it no model (`model` is None then); one that is given is what the
endpoint's readers take its tokenizer from. ``adapters`` true: it serves adapters (``adapter/peft``) beside their base, each under the
name of its step; the worker finds them as ``adapters``, ``adapters.2`` (see `artifacts.several`). ``takes``: formats of an updatable one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.contracts.allowed_hosts import is_allowed
from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.step import Step

#: Seconds that a server has beyond `shutdown_grace` to end what still runs, and itself; then it is killed.
KILL_AFTER = 10.0


@dataclass(frozen=True)
class Address:
    """Where to listen.

    Args:
        port: 0: any free one; the backend tells it by `step.ready`.
        allowed_hosts: further names under which clients may ask where `host` is this machine's own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allowed_hosts: tuple[str, ...] = ()

    def answers_to(self, header: str) -> bool:
        """Whether a request with this ``Host`` is to be answered (see `tunesmith.contracts.allowed_hosts`)."""
        return is_allowed(header, self.host, self.allowed_hosts)


class InferenceBackend(Protocol):
    def serve(self, model: Artifact | None, name: str, address: Address, step: Step) -> None:
        """Serve until `step.wait_cancelled()`; then take nothing new, let running requests end and return. What still runs after
        ``step.settings.shutdown_grace`` seconds is ended so that its client knows: a stream by an error event and ``[DONE]``, others by
        status 503. `KILL_AFTER` seconds later the process is killed.

        Calls ``step.ready(url="http://127.0.0.1:1234/v1", model=name)`` once requests are answered. Routes: ``/v1/chat/completions``,
        ``/v1/completions``, ``/v1/models``, ``/health``, ``/metrics``.

        Raises:
            UserError: TS-SERVE-001 when the port is in use.
        """


@dataclass(frozen=True)
class Engine:
    """A server that is a program of its own. It is up once what `ready` and `ready_line` ask for has been seen.

    Args:
        command: the program and its arguments; ``sys.executable`` is the interpreter of the step's environment.
        environment: variables on top of the worker's.
        ready: path that answers 200 once requests are answered; asked all the time, so that an engine that hangs is noticed. Empty: none.
        ready_line: regular expression; a line of its output that it is found in. Empty: none.
        start_timeout: seconds that it may take until it is up.
        restarts: how often it is started again within ten minutes after it died by itself.
        facts: further facts of the endpoint; its ``url`` and ``model`` are known.
        name: what it is called in messages; empty: the program's name.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/health"
    ready_line: str = ""
    start_timeout: float = 300.0
    restarts: int = 3
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


class EngineBackend(Protocol):
    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        """How to start the engine. It is to answer the routes named above below ``/v1`` of `address`, whose port is a free one, and to know
        the model by `name`; files that it needs go to `step.work`. May be asked again with another port.

        On SIGTERM the engine takes nothing new and lets running requests end; after ``step.settings.shutdown_grace`` seconds it ends what
        still runs. `KILL_AFTER` seconds later it, and all that it started, is killed.
        """
