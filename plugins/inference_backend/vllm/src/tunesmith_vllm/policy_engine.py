"""A running vLLM as the sampler of a training step: weights loaded, token ids in and out. The standard library only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from tunesmith.contracts import Artifact
from tunesmith_serve.updatable import EngineFailed, SampledCompletion, SamplingOptions
from tunesmith_vllm import policy_weights
from tunesmith_vllm.policy_token import HEADER

TIMEOUT = 1800.0  # seconds for an answer
AT_ONCE = 256  # prompts that are asked for at the same time; vLLM has those wait that it has no place for
_NAME = "policy-"


class PolicyEngine:
    """One engine; asked from one thread at a time.

    All weights that are loaded have a name of their own, so that nothing that vLLM keeps of some (keys and values of prompts, by an
    adapter's name) counts for others, also where a version comes a second time with other weights.

    `token` is what the engine is to ask for before it changes weights (`tunesmith_vllm.policy_token`); `base` is the directory of the model
    that it was started with.
    """

    def __init__(self) -> None:
        self.token, self._numbers, self.base = secrets.token_urlsafe(32), count(1), ""
        self._loaded, self._model = "", ""  # a name of weights, and of the model that is asked for
        self._whole = False  # whether the engine's own weights are no longer those of `base`

    def load(self, url: str, weights: Artifact, version: int) -> None:
        """
        Raises:
            EngineFailed: the engine can't be asked, or refuses the weights.
        """
        name = f"{_NAME}{version}-{next(self._numbers)}"
        served = self._served(url)
        for old in (one for one in served if one.startswith(_NAME)):
            self._changed(url, "unload_lora_adapter", {"lora_name": old})
        if weights.format == "adapter/peft":
            if self._whole:
                self._changed(url, policy_weights.ROUTE, {"path": self.base, "name": ""})
            self._changed(url, "load_lora_adapter", {"lora_name": name, "lora_path": str(weights.path)})
            self._model, self._whole = name, False
        else:
            self._whole = True
            self._changed(url, policy_weights.ROUTE, {"path": str(weights.path), "name": name})
            self._model = next(one for one in served if not one.startswith(_NAME))
        self._loaded = name

    def change(self, url: str, route: str) -> None:
        """Have it sleep or wake, by a route of `policy_weights`. Raises EngineFailed where it can't be asked."""
        self._changed(url, route, {})

    def complete(
        self, url: str, prompts: Sequence[Sequence[int]], seeds: Sequence[int], options: SamplingOptions
    ) -> list[list[SampledCompletion]]:  # fmt: skip
        """
        Raises:
            EngineFailed: nothing is loaded, the engine can't be asked, or it answers something else than was asked.
        """
        if not self._loaded:
            raise EngineFailed("no weights were given to it yet")
        with ThreadPoolExecutor(min(AT_ONCE, max(1, len(prompts)))) as pool:
            return list(pool.map(lambda prompt, seed: self._completed(url, prompt, seed, options), prompts, seeds))

    def _changed(self, url: str, route: str, body: Mapping[str, Any]) -> None:
        _request(url, "POST", route, body, {HEADER: self.token})

    def _served(self, url: str) -> list[str]:
        """Names of the model and of the adapters that it has."""
        return [str(model["id"]) for model in json.loads(_request(url, "GET", "models")[0])["data"]]

    def _completed(self, url: str, prompt: Sequence[int], seed: int, options: SamplingOptions) -> list[SampledCompletion]:
        asked = {
            "model": self._model, "prompt": list(prompt), "n": options.n, "max_tokens": options.max_tokens, "seed": seed,
            "temperature": options.temperature, "stop": list(options.stop), "stop_token_ids": list(options.stop_token_ids),
            "logprobs": 0, "return_token_ids": True, "skip_special_tokens": False, "add_special_tokens": False,
        }  # fmt: skip
        try:
            said, has = _request(url, "POST", "completions", asked)
            told = json.loads(said)
            found = [
                self._completion(choice, prompt, has if self._whole else str(told["model"]))
                for choice in sorted(told["choices"], key=lambda choice: choice["index"])
            ]
        except (LookupError, TypeError, ValueError) as error:
            raise EngineFailed(f"its answer makes no sense: {type(error).__name__}: {error}") from error
        if len(found) != options.n:
            raise EngineFailed(f"it wrote {len(found)} completions where {options.n} were asked for")
        return found

    def _completion(self, choice: Mapping[str, Any], prompt: Sequence[int], by: str) -> SampledCompletion:
        """
        Args:
            by: name of the weights that have written it.
        """
        tokens, log_probs = choice["token_ids"], choice["logprobs"]["token_logprobs"]
        if choice["prompt_token_ids"] != list(prompt):
            raise ValueError("it read other tokens than it was given")
        if len(tokens) != len(log_probs):
            raise ValueError(f"{len(tokens)} tokens with {len(log_probs)} log-probabilities")
        if not by:
            raise EngineFailed("it was started anew, and has the weights that it had before training")
        version = int(by.removeprefix(_NAME).partition("-")[0])
        return SampledCompletion(version, tokens, log_probs, choice["finish_reason"] == "stop")


def _request(
    url: str, method: str, route: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[bytes, str]:
    """What is answered, and the weights that were given last (`policy_weights`)."""
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
    return said, reply.headers.get(policy_weights.HEADER) or ""
