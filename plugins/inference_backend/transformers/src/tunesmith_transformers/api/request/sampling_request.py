"""From a request's fields to `Sampling`, within what the model can hold."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.sampling.sampling_params import Sampling
from tunesmith_transformers.text.vocabulary import Vocabulary

#: What neither the request nor the model says.
NONE: Mapping[str, Any] = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
COMPLETION_TOKENS = 16  # the API's default for /v1/completions; a chat's answer may fill the context


def sampling(
    request: Mapping[str, Any], defaults: Mapping[str, Any], vocabulary: Vocabulary, prompt: int, length: int, *, chat: bool
) -> Sampling:
    """The sampling that a request asks for after `prompt` tokens, with at most `length` in all.

    Raises:
        ApiError: 400 if prompt and answer don't fit.
    """
    room = length - prompt
    asked, name = _most(request)
    if room < (1 if asked is None else asked):
        wanted = f" and {asked} for the answer" if asked is not None else ""
        raise ApiError(
            400, f"The context holds {length} tokens; the prompt has {prompt}{wanted}. Shorten the prompt or the answer.",
            param="messages" if chat else "prompt", code="context_length_exceeded",
        )  # fmt: skip
    if asked is None:
        asked = room if chat else min(room, COMPLETION_TOKENS)
    if asked == 0 and not request.get("echo"):
        raise ApiError(400, f"`{name}` should be at least 1 (0 goes with `echo` only).", param=name)
    logprobs = request.get("logprobs")
    if chat:
        if request.get("top_logprobs") is not None and not logprobs:
            raise ApiError(400, "`top_logprobs` needs `logprobs` to be true.", param="top_logprobs")
        logprobs = request.get("top_logprobs", 0) if logprobs else None
    stop = request.get("stop", ())
    given = {**NONE, **defaults, **request}
    forbidden = {token: -inf for token in defaults.get("suppress_tokens", ()) if token < len(vocabulary)}
    return Sampling(
        max_tokens=asked,
        temperature=float(given["temperature"]),
        top_p=float(given["top_p"]),
        top_k=min(max(0, given["top_k"]), len(vocabulary)),
        min_p=float(given["min_p"]),
        seed=request.get("seed"),
        repetition_penalty=float(given["repetition_penalty"]),
        presence_penalty=float(request.get("presence_penalty", 0)),
        frequency_penalty=float(request.get("frequency_penalty", 0)),
        logit_bias=_bias(request.get("logit_bias", {}), len(vocabulary)) | forbidden,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        ignore_eos=request.get("ignore_eos", False),
        logprobs=logprobs,
        prompt_logprobs=logprobs if request.get("echo") else None,
    )


def _most(request: Mapping[str, Any]) -> tuple[int | None, str]:
    """How many tokens an answer may have at most, None where it may fill the context; and the field that says so."""
    older, newer = request.get("max_tokens"), request.get("max_completion_tokens")
    if older is not None and newer is not None and older != newer:
        what = f"`max_tokens` is {older} and `max_completion_tokens` is {newer}: give one of them."
        raise ApiError(400, what, param="max_completion_tokens")
    return (older, "max_tokens") if newer is None else (newer, "max_completion_tokens")


def _bias(wanted: Mapping[str, float], size: int) -> dict[int, float]:
    found = {}
    for name, value in wanted.items():
        if not name.isascii() or not name.isdigit() or len(name) > 10 or int(name) >= size:
            raise ApiError(400, f"`logit_bias` has the key {name[:20]!r}; keys are ids of the {size} tokens.", param="logit_bias")
        found[int(name)] = float(value)
    return found
