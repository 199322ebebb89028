"""Contract of kind ``inference_backend``: a model behind the OpenAI API.

``accepts``: model formats it loads; ``produces``: ``("endpoint/openai",)``. Capabilities: ``api.chat``, ``api.completions``,
``api.stream``, ``api.logprobs``, ``batching.continuous``, ``device.<name>``. Estimator: ``f(EstimateRequest) -> Estimate``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.step import Step


@dataclass(frozen=True)
class Address:
    """Where to listen. Port 0: any free one; the backend tells it by `step.ready`."""

    host: str = "127.0.0.1"
    port: int = 0


class InferenceBackend(Protocol):
    def serve(self, model: Artifact, name: str, address: Address, step: Step) -> None:
        """Serve until `step.wait_cancelled()`; then let running requests end and return.

        Calls ``step.ready(url="http://127.0.0.1:1234/v1", model=name)`` once requests are answered. Routes: ``/v1/chat/completions``,
        ``/v1/completions``, ``/v1/models``, ``/health``, ``/metrics``.

        Raises:
            UserError: TS-SERVE-001 when the port is in use.
        """
