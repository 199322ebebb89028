"""The optional part ``updatable`` of the contract of inference backends: a model is served while it is trained elsewhere.

A backend that declares the capability writes completions for a training step whose input ``sampler`` is its endpoint: from token ids to
token ids with their log-probabilities, never from text, by the weights that it was given last. The verb `serve` calls it in
the worker of the serving step when that has the setting ``updatable``, and answers the training step over the control channel
(`tunesmith_serve.control_channel`). So an engine's own routes stay its plugin's business, in whichever environment that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from tunesmith.contracts import Artifact


@dataclass(frozen=True)
class SamplingOptions:
    """How tokens are drawn: of the whole distribution at a temperature.

    Args:
        n: completions of each prompt.
        max_tokens: longest in tokens.
        temperature: above 0.
        stop: texts after which a completion is over.
        stop_token_ids: tokens that end one; they are part of it.
    """

    n: int
    max_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> SamplingOptions:
        """The inverse."""
        lists = {name: tuple(told.get(name, ())) for name in ("stop", "stop_token_ids")}
        return cls(int(told["n"]), int(told["max_tokens"]), float(told["temperature"]), **lists)


@dataclass(frozen=True)
class SampledCompletion:
    """
    Args:
        version: of the policy that wrote it, as the engine tells it with its answer.
        tokens: ids, with an end token.
        log_probs: of each token, at the run's temperature, over all tokens.
        finished: whether it ended by itself; False for one that is truncated.
    """

    version: int
    tokens: Sequence[int]
    log_probs: Sequence[float]
    finished: bool


@runtime_checkable
class Updatable(Protocol):
    """Beside `EngineBackend`, whose `engine` is asked with ``step.settings.updatable`` true.

    `takes` are the formats of weights that it can be given while it serves: ``adapter/peft``, an adapter of the model that it serves,
    ``model/hf``, whole weights in that model's place, or both; the provider's fact `takes` says the same to the plan.

    `distance` is how far, in nats a token on average, its log-probabilities may lie from the training step's, by the dtype that the coarser
    of both computes in: what was measured of this engine, with a margin; one that it does not name has the largest of its bounds. Training
    stops before its first step beyond it.
    """

    takes: Sequence[str]
    distance: Mapping[str, float]

    def load(self, url: str, weights: Artifact, version: int) -> None:
        """Have the engine answer as the model with these weights from now on, and forget those before. Nothing else is asked meanwhile.

        Args:
            url: the engine's base of the OpenAI API.
            weights: of a format that it `takes`; its directory is readable until the next call. Whole weights come without a tokenizer.
            version: optimizer steps that it has made. A version may come again with other weights, after training has gone back.

        Raises:
            UserError: TS-SERVE-065 for one that it can't compute as it was trained.
            EngineFailed: the engine can't be asked.
        """

    def complete(
        self, url: str, prompts: Sequence[Sequence[int]], seeds: Sequence[int], options: SamplingOptions
    ) -> Sequence[Sequence[SampledCompletion]]:
        """`options.n` completions of each prompt, by the weights that were loaded last.

        Args:
            seeds: of each prompt.

        Raises:
            EngineFailed: the engine can't be asked, or answers something else than was asked.
        """


@runtime_checkable
class Sleeps(Protocol):
    """Beside `Updatable`, of an engine that gives its devices' memory back while the training step learns.

    `sleeps` is whether it does so in this step. It is woken before each `load`, also where it is awake; nothing is asked while it sleeps.
    """

    sleeps: bool

    def sleep(self, url: str) -> None:
        """Raises EngineFailed where the engine can't be asked."""

    def wake(self, url: str) -> None:
        """Raises EngineFailed where the engine can't be asked."""


class EngineFailed(Exception):
    """The engine is not there, or is not what it should be; the message says how that showed."""
