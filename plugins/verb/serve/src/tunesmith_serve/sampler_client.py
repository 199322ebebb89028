"""The control channel (`tunesmith_serve.control_channel`) as a training step asks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from http.client import HTTPException
from typing import Any

from tunesmith.contracts import Artifact, TunesmithError, UserError
from tunesmith_serve.control_channel import CONFLICT, ControlConnection
from tunesmith_serve.updatable import SampledCompletion, SamplingOptions

POLL = 0.2  # seconds between looks whether the step is to stop
TIMEOUT = 3600.0  # seconds for one answer: an engine that died is waited for, and one that hangs is ended by whoever keeps it up


class SamplerClient:
    """
    Args:
        endpoint: of a serving step with the setting ``updatable``.
        name: of that step, for messages.
        check_cancelled: called while an answer is waited for.

    Raises:
        UserError: TS-TRAIN-133 when the endpoint has no control channel.
    """

    def __init__(self, endpoint: Artifact, name: str, check_cancelled: Callable[[], None]) -> None:
        if "control" not in endpoint.meta:
            raise not_updatable(name)
        self.name, self.distance, self.takes = name, dict(endpoint.meta["distance"]), frozenset(endpoint.meta["takes"])
        self.sleeps = bool(endpoint.meta.get("sleeps"))
        self.dtype = str(endpoint.meta.get("dtype", ""))
        self._socket, self._check = str(endpoint.meta["control"]), check_cancelled
        self._thread = ThreadPoolExecutor(1, "sampler")

    def load(self, weights: Artifact, version: int) -> None:
        """Returns once completions are written with these weights.

        Raises:
            TunesmithError: TS-TRAIN-136 when the engine can't be asked; what the backend says of weights that it can't compute.
        """
        self._asked("/load", {"format": weights.format, "path": str(weights.path.absolute()), "version": version})

    def sleep(self) -> None:
        """Of an endpoint that `sleeps`: its devices' memory is free until `wake`. Raises TS-TRAIN-136 as `load` does."""
        self._asked("/sleep", {})

    def wake(self) -> None:
        """The inverse; nothing where it is awake."""
        self._asked("/wake", {})

    def complete(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], options: SamplingOptions
    ) -> list[list[SampledCompletion]]:  # fmt: skip
        """
        Raises:
            TunesmithError: TS-TRAIN-136 when the engine can't be asked.
        """
        told = self._asked("/complete", {"prompts": prompts, "seeds": seeds, "options": options.as_json()})
        return [[SampledCompletion(**one) for one in own] for own in told["completions"]]

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    def _asked(self, route: str, body: Mapping[str, Any]) -> Any:
        answer = self._thread.submit(self._post, route, json.dumps(body).encode())
        while True:
            self._check()
            try:
                status, told = answer.result(POLL)
                break
            except NotYet:
                continue
            except (OSError, HTTPException, ValueError) as error:
                raise self._failed(f"{type(error).__name__}: {error}") from error
        if status == CONFLICT:
            raise UserError(told["code"], told["what"], why=told["why"], fix=told["fix"])
        if status != 200:
            raise self._failed(str(told.get("why", f"status {status}")))
        return told

    def _post(self, route: str, body: bytes) -> tuple[int, Any]:
        connection = ControlConnection(self._socket, TIMEOUT)
        try:
            connection.request("POST", route, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def _failed(self, why: str) -> TunesmithError:
        return TunesmithError(
            "TS-TRAIN-136", f"The sampler `{self.name}` does not answer", why=why,
            fix="Its log says why: `tunesmith runs logs`. `tunesmith resume` goes on from the newest checkpoint. Where memory is out, "
            f"give the step `{self.name}` less to hold.",
        )  # fmt: skip


def not_updatable(name: str) -> UserError:
    """For an endpoint that was not set up to be updated."""
    return UserError(
        "TS-TRAIN-133", f"`{name}` is served with the weights that it has, and a sampler's change as the model learns",
        why="A serving step takes weights while it runs where it is told to.", fix=f"Give `{name}` the setting `updatable: true`.",
    )  # fmt: skip
