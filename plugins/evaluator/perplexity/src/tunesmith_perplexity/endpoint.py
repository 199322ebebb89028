"""Losses of a model behind an endpoint: it is asked for the log-probabilities of each row's tokens, several rows at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tunesmith.contracts import Artifact, Step, TunesmithError
from tunesmith_perplexity.sequences import Scored
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_serve import Endpoint


def losses(subject: Artifact, scored: Sequence[Scored], settings: PerplexitySettings, step: Step) -> list[tuple[float, int]]:
    """(Summed loss, number of labels) of each row. A server's failure ends the evaluation: nothing is left out.

    Raises:
        TunesmithError: TS-SERVE-020 and 021 as `Endpoint.ask_all`, TS-SERVE-023 when it gives no log-probabilities of a prompt's tokens.
    """

    def body(one: Scored) -> dict[str, Any]:
        wanted = {"prompt": list(one.sequence.tokens), "max_tokens": 0, "echo": True, "logprobs": 1}
        if subject.meta.get("logprob_start_len"):  # it takes this: what comes before the first label needs no work
            wanted["logprob_start_len"] = list(one.sequence.labels).index(True)
        return wanted

    endpoint = Endpoint(subject, timeout=settings.timeout, retries=settings.max_retries, shorten="max_length", model=settings.model)
    replies = endpoint.ask_all(
        "/completions", [body(one) for one in scored], step, concurrency=settings.concurrency, what="scoring", unit="rows"
    )
    return [_summed(reply, one.sequence.labels) for reply, one in zip(replies, scored, strict=True)]


def _summed(reply: object, labels: Sequence[bool]) -> tuple[float, int]:
    """(Summed loss, number of labels) from a server's reply."""
    try:
        told = reply["choices"][0]["logprobs"]["token_logprobs"]  # type: ignore[index]
        if len(told) != len(labels):
            raise _none(f"It gave {len(told)} for the {len(labels)} tokens of a row.")
        found = [float(logprob) for logprob, label in zip(told, labels, strict=True) if label]
    except (LookupError, TypeError, ValueError):
        raise _none(f"It said {str(reply)[:200]}") from None
    if not all(map(math.isfinite, found)):
        raise _none("Some that it gave are no finite numbers.")
    return -math.fsum(found), len(found)


def _none(why: str) -> TunesmithError:
    return TunesmithError(
        "TS-SERVE-023", "The endpoint gives no log-probabilities of a prompt's tokens", why=why,
        fix="Serve the model with a backend that has the capability `api.echo`, or evaluate the model itself.",
    )  # fmt: skip
