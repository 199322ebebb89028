"""``/v1/completions`` with ``echo``: a prompt comes back with its log-probabilities, as other servers give them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_llamacpp.server.llama_client import Upstream
from tunesmith_llamacpp.server.prompt_logprobs import Scored, Scorer

ALTERNATIVES = 20  # most of them that may be asked for


class BadRequest(Exception):
    """What is wrong with a request."""


class Echo:
    """Answers requests that score texts with the model that llama.cpp's server has loaded."""

    def __init__(self, upstream: Upstream, name: str) -> None:
        self.upstream, self.name = upstream, name
        self.context = int(upstream.get("/props")["default_generation_settings"]["n_ctx"])  # the model's, if that is shorter than asked
        self.scorer = Scorer(upstream)
        self._pieces: dict[int, str] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply's body.

        Raises:
            BadRequest: what the request should not hold.
        """
        if request.get("max_tokens") != 0 or request.get("stream") or request.get("n", 1) != 1:
            raise BadRequest("`echo` scores texts: it goes with `max_tokens: 0`, and neither with `stream` nor with `n`.")
        alternatives, start = request.get("logprobs"), request.get("logprob_start_len", 0)
        if not (alternatives is None or (_count(alternatives) and alternatives <= ALTERNATIVES)):
            raise BadRequest(f"`logprobs` should be a whole number from 0 to {ALTERNATIVES}.")
        if not _count(start):
            raise BadRequest("`logprob_start_len` should be a whole number from 0.")
        prompts = [self._tokens(prompt) for prompt in _prompts(request.get("prompt"))]
        choices = [self._choice(index, prompt, alternatives, start) for index, prompt in enumerate(prompts)]
        read = sum(map(len, prompts))
        return {
            "id": f"cmpl-{uuid.uuid4().hex}", "object": "text_completion", "created": int(time.time()), "model": self.name,
            "choices": choices, "usage": {"prompt_tokens": read, "completion_tokens": 0, "total_tokens": read},
        }  # fmt: skip

    def _tokens(self, prompt: str | Sequence[int]) -> list[int]:
        tokens = (
            list(prompt)
            if not isinstance(prompt, str)
            else self.upstream.post("/tokenize", {"content": prompt, "add_special": True})["tokens"]
        )
        if not tokens or not all(_count(token) and token < self.scorer.vocabulary for token in tokens):
            raise BadRequest(f"`prompt` should be text or tokens below {self.scorer.vocabulary}, and not empty.")
        if len(tokens) > self.context:
            raise BadRequest(f"The prompt has {len(tokens)} tokens; this server takes at most {self.context} (setting `ctx_size`).")
        return tokens

    def _choice(self, index: int, tokens: list[int], alternatives: int | None, start: int) -> dict[str, Any]:
        pieces = [self._piece(token) for token in tokens]
        choice = {"index": index, "text": "".join(pieces), "logprobs": None, "finish_reason": "length"}
        if alternatives is not None:
            first = max(1, start)
            scored = [None] * min(first, len(tokens)) + self.scorer.score(tokens, first, alternatives)
            choice["logprobs"] = {
                "tokens": pieces, "token_logprobs": [one and one.logprob for one in scored],
                "top_logprobs": [one and self._top(one) for one in scored] if alternatives else None,
                "text_offset": [sum(map(len, pieces[:at])) for at in range(len(pieces))],
            }  # fmt: skip
        return choice

    def _top(self, one: Scored) -> dict[str, float]:
        return {self._piece(token): logprob for token, logprob in one.top}

    def _piece(self, token: int) -> str:
        if token not in self._pieces:
            self._pieces[token] = self.upstream.post("/detokenize", {"tokens": [token]})["content"]
        return self._pieces[token]


def _prompts(prompt: Any) -> list[Any]:
    """One or several: a text, tokens, or a list of those."""
    if isinstance(prompt, list) and prompt and not _count(prompt[0]):
        return prompt
    return [prompt if isinstance(prompt, (str, list)) else ""]


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
