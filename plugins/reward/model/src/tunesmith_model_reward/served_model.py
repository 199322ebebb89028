"""A reward model behind a server that speaks vLLM's `/pooling`, as the backend `transformers` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_model_reward.settings import ModelRewardSettings
from tunesmith_serve import Endpoint


class ServedModel:
    def __init__(self, settings: ModelRewardSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.concurrency, "scoring")
        base = settings.url.rstrip("/")
        model = settings.model or next(iter(self._endpoint(base, "").models()), "")
        self._pooling = self._endpoint(base.removesuffix("/v1"), model)  # the route stands beside /v1, not below it

    def scores(self, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[float | None]:
        """
        Raises:
            TunesmithError: TS-SERVE-020 to 022 as those of `Endpoint.ask`.
        """
        return list(self._pool.map(self._score, conversations))

    def _endpoint(self, url: str, model: str) -> Endpoint:
        subject = Artifact("endpoint/openai", Path(), meta={"url": url, "model": model})
        return Endpoint(subject, timeout=self._settings.timeout, retries=self._settings.max_retries, shorten="max_completion_length")

    def _score(self, turns: Sequence[Mapping[str, Any]]) -> float:
        reply = self._pooling.ask("/pooling", {"messages": list(turns)})
        try:
            return float(reply["data"][0]["data"][0])
        except (LookupError, TypeError, ValueError) as error:
            raise TunesmithError("TS-SERVE-022", "The endpoint's reply is no score", why=str(reply)[:200],
                                 fix="Serve a reward model with a backend that has `/pooling`.") from error  # fmt: skip
