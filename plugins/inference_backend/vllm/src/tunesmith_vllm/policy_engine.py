"""A running vLLM as the sampler of a training step: adapters loaded and unloaded, token ids in and out. The standard library only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from tunesmith_serve.updatable import EngineFailed, SampledCompletion, SamplingOptions
from tunesmith_vllm.adapter_token import HEADER

TIMEOUT = 1800.0  # seconds for an answer
AT_ONCE = 256  # prompts that are asked for at the same time; vLLM has those wait that it has no place for
_NAME = "policy-"


class PolicyEngine:
    """One engine; asked from one thread at a time.

    Each adapter that is loaded has a name of its own, so that nothing that vLLM keeps of one (keys and values of prompts, by the adapter's
    name) counts for another, also where a version comes a second time with other weights.

    `token` is what the engine is to ask for before it changes an adapter (`tunesmith_vllm.adapter_token`).
    """

    def __init__(self) -> None:
        self.token, self._numbers = secrets.token_urlsafe(32), count(1)
        self._loaded, self._version = "", -1

    def load(self, url: str, adapter: Path, version: int) -> None:
        """
        Raises:
            EngineFailed: the engine can't be asked, or refuses the adapter.
        """
        name = f"{_NAME}{version}-{next(self._numbers)}"
        for old in self._names(url):
            self._changed(url, "unload_lora_adapter", {"lora_name": old})
        self._changed(url, "load_lora_adapter", {"lora_name": name, "lora_path": str(adapter)})
        self._loaded, self._version = name, version

    def complete(
        self, url: str, prompts: Sequence[Sequence[int]], seeds: Sequence[int], options: SamplingOptions
    ) -> list[list[SampledCompletion]]:  # fmt: skip
        """
        Raises:
            EngineFailed: nothing is loaded, the engine can't be asked, or it answers something else than was asked.
        """
        if not self._loaded:
            raise EngineFailed("no adapter was given to it yet")
        with ThreadPoolExecutor(min(AT_ONCE, max(1, len(prompts)))) as pool:
            return list(pool.map(lambda prompt, seed: self._completed(url, prompt, seed, options), prompts, seeds))

    def _changed(self, url: str, route: str, body: Mapping[str, Any]) -> None:
        _request(url, "POST", route, body, {HEADER: self.token})

    def _names(self, url: str) -> list[str]:
        """The adapters that it has."""
        listed = json.loads(_request(url, "GET", "models"))["data"]
        return [str(model["id"]) for model in listed if str(model["id"]).startswith(_NAME)]

    def _completed(self, url: str, prompt: Sequence[int], seed: int, options: SamplingOptions) -> list[SampledCompletion]:
        asked = {
            "model": self._loaded, "prompt": list(prompt), "n": options.n, "max_tokens": options.max_tokens, "seed": seed,
            "temperature": options.temperature, "stop": list(options.stop), "stop_token_ids": list(options.stop_token_ids),
            "logprobs": 0, "return_token_ids": True, "skip_special_tokens": False, "add_special_tokens": False,
        }  # fmt: skip
        try:
            told = json.loads(_request(url, "POST", "completions", asked))
            found = [self._completion(told, choice, prompt) for choice in sorted(told["choices"], key=lambda choice: choice["index"])]
        except (LookupError, TypeError, ValueError) as error:
            raise EngineFailed(f"its answer makes no sense: {type(error).__name__}: {error}") from error
        if len(found) != options.n:
            raise EngineFailed(f"it wrote {len(found)} completions where {options.n} were asked for")
        return found

    def _completion(self, told: Mapping[str, Any], choice: Mapping[str, Any], prompt: Sequence[int]) -> SampledCompletion:
        tokens, log_probs = choice["token_ids"], choice["logprobs"]["token_logprobs"]
        if choice["prompt_token_ids"] != list(prompt):
            raise ValueError("it read other tokens than it was given")
        if len(tokens) != len(log_probs):
            raise ValueError(f"{len(tokens)} tokens with {len(log_probs)} log-probabilities")
        version = int(str(told["model"]).removeprefix(_NAME).partition("-")[0])
        return SampledCompletion(version, tokens, log_probs, choice["finish_reason"] == "stop")


def _request(
    url: str, method: str, route: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, f"{place.path}/{route}", data, {"Content-Type": "application/json", **headers})
        reply = connection.getresponse()
        said = reply.read()
    except (OSError, HTTPException) as error:
        raise EngineFailed(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if reply.status != 200:
        raise EngineFailed(f"asked for /{route} it says {reply.status}: {said[:300].decode('utf-8', 'replace')}")
    return said
