"""What a request asks for, in OpenVINO's words; and what OpenVINO can't do, which is refused."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from tunesmith_transformers.api.engines import ApiError, Sampling

SEEDS = 2**63  # of its generator


def refuse(sampling: Sampling) -> None:
    """Raises ApiError 400 for what this engine can't do."""
    for asked, param, why in (
        (sampling.logit_bias, "logit_bias", "it takes no bias of single tokens"),
        (sampling.grammar, "response_format", "it keeps no answer to a schema"),
        (sampling.prompt_logprobs is not None or not sampling.max_tokens, "echo", "it gives no log-probabilities of prompts"),
        (sampling.logprobs, "logprobs", "it tells the log-probability of the token that was chosen, and of no other"),
    ):
        if asked:
            raise ApiError(400, f"`{param}` can't be done by OpenVINO's pipeline: {why}.", param=param, code="unsupported_parameter")


def generation_options(sampling: Sampling, ends: Collection[int]) -> dict[str, Any]:
    """Fields of `openvino_genai.GenerationConfig`. Stop strings are looked for by the server."""
    options: dict[str, Any] = {
        "max_new_tokens": sampling.max_tokens, "ignore_eos": sampling.ignore_eos, "apply_chat_template": False,
        "stop_token_ids": set() if sampling.ignore_eos else set(ends), "logprobs": 0 if sampling.logprobs is None else 1,
        "repetition_penalty": sampling.repetition_penalty, "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty, "do_sample": not sampling.greedy,
    }  # fmt: skip
    if not sampling.greedy:
        seed = secrets.randbits(63) if sampling.seed is None else sampling.seed % SEEDS
        options |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "min_p": sampling.min_p, "rng_seed": seed}
        if sampling.top_k:
            options["top_k"] = sampling.top_k
    return options
