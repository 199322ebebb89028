"""Losses of a model behind an endpoint: it is asked for the log-probabilities of each row's tokens, several rows at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from tunesmith.contracts import Artifact, Cancelled, Step, TunesmithError
from tunesmith_perplexity.client import CompletionClient
from tunesmith_perplexity.sequences import Scored
from tunesmith_perplexity.settings import PerplexitySettings

POLL = 0.2  # seconds between looks at what is done


def losses(subject: Artifact, scored: Sequence[Scored], settings: PerplexitySettings, step: Step) -> list[tuple[float, int]]:
    """(Summed loss, number of labels) of each row. A server's failure ends the evaluation: nothing is left out.

    Raises:
        TunesmithError: TS-SERVE-020 when the server can't be reached or keeps failing, TS-SERVE-021 when it refuses a row, TS-SERVE-023
            when it gives no log-probabilities of a prompt's tokens.
    """
    stop = threading.Event()

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Cancelled(step.name)

    client = CompletionClient(subject.meta["url"], timeout=settings.timeout, retries=settings.retries, pause=pause)

    def loss(one: Scored) -> tuple[float, int]:
        if stop.is_set():
            raise Cancelled(step.name)
        tokens, labels = one.sequence.tokens, one.sequence.labels
        body = {"model": subject.meta["model"], "prompt": list(tokens), "max_tokens": 0, "echo": True, "logprobs": 1}
        if subject.meta.get("logprob_start_len"):  # it takes this: what comes before the first label needs no work
            body["logprob_start_len"] = list(labels).index(True)
        return _summed(client.complete(body), labels)

    pool = ThreadPoolExecutor(settings.concurrency, "score")
    pending: list[Future[tuple[float, int]]] = [pool.submit(loss, one) for one in scored]
    try:
        while True:
            done, left = wait(pending, POLL, FIRST_EXCEPTION)
            step.progress(len(done), len(scored), what="scoring", unit="rows")
            step.check_cancelled()
            for future in done:
                future.result()
            if not left:
                return [future.result() for future in pending]
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


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
