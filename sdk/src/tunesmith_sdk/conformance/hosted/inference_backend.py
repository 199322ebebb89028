"""Checks of inference backends: the OpenAI protocol, as its official client speaks it, on a tiny model that knows a few sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tunesmith_sdk.conformance.bench.bench import Bench
from tunesmith_sdk.conformance.checks import CheckFailed, check, has
from tunesmith_sdk.conformance.hosted.serving import NAME, served, serving
from tunesmith_sdk.conformance.materials.tiny_trained_model import SENTENCES

_KIND = "inference_backend"
_CHAT = "/v1/chat/completions"
MANY = 6  # requests at a time
LONG = 5000  # words, more than the tiny model has positions


def _text(answer: Any) -> str:
    return answer.choices[0].message.content or ""


def _streamed(bench: Bench, question: str, **options: Any) -> tuple[list[str], str]:
    """The pieces of a streamed answer, and why it ended."""
    pieces, reason = [], ""
    for chunk in served(bench).ask(question, stream=True, **options):
        for choice in chunk.choices:
            pieces += [choice.delta.content] if choice.delta.content else []
            reason = choice.finish_reason or reason
    return pieces, reason


@check(
    "inference_backend.answers", kind=_KIND, at="host", title="it gives the model's own answers: greedy, the sentences that the model knows"
)
def answers(bench: Bench) -> None:
    endpoint = served(bench)
    names = [model.id for model in endpoint.client.models.list().data]
    if NAME not in names:
        raise CheckFailed(f"/v1/models lists {', '.join(names)}, not the name it was given", fix="Serve under `name`.")
    for question, wanted in SENTENCES:
        answer = endpoint.ask(question, max_tokens=64)
        if _text(answer).strip() != wanted:
            raise CheckFailed(f"asked {question!r} it answers {_text(answer)[:60]!r}; the model knows {wanted!r}",
                              fix="Use the chat template, with a generation prompt, and the weights as they are.")  # fmt: skip
        if answer.choices[0].finish_reason != "stop":
            raise CheckFailed(f"an answer that ends by itself has the reason {answer.choices[0].finish_reason}", fix="Say `stop`.")


@check("inference_backend.counts", kind=_KIND, at="host", title="`max_tokens` is kept, with the reason `length`, and usage adds up")
def counts(bench: Bench) -> None:
    answer = served(bench).ask(max_tokens=3)
    usage = answer.usage
    if usage is None or usage.completion_tokens != 3 or usage.total_tokens != usage.prompt_tokens + 3 or usage.prompt_tokens < 1:
        raise CheckFailed(f"asked for 3 tokens, usage says {usage}", fix="Count prompt and completion tokens.")
    if answer.choices[0].finish_reason != "length":
        raise CheckFailed(f"an answer that is cut off has the reason {answer.choices[0].finish_reason}", fix="Say `length`.")


@check(
    "inference_backend.streams",
    kind=_KIND,
    at="host",
    when=has("api.stream"),
    title="streamed in several pieces, an answer is the one given at once",
)
def streams(bench: Bench) -> Iterator[CheckFailed]:
    question, wanted = SENTENCES[0]
    pieces, reason = _streamed(bench, question)
    if "".join(pieces).strip() != wanted or reason != "stop":
        yield CheckFailed(f"streamed, the answer is {''.join(pieces)!r} with the reason {reason!r}", fix="Send every token's text once.")
    if len(pieces) < 2:
        yield CheckFailed("a streamed answer comes in one piece", fix="Send text as soon as it is there.")


@check(
    "inference_backend.unicode",
    kind=_KIND,
    at="host",
    when=has("api.stream"),
    title="letters that are split over tokens arrive whole, in every piece of a stream",
)
def unicode(bench: Bench) -> None:
    question, wanted = SENTENCES[2]
    pieces, _ = _streamed(bench, question, max_tokens=64)
    broken = [piece for piece in pieces if "\ufffd" in piece]
    if broken or "".join(pieces).strip() != wanted:
        raise CheckFailed(f"streamed, {wanted!r} arrives as {''.join(pieces)!r}", found=f"{len(broken)} pieces hold half a letter",
                          fix="Hold bytes back until they are letters.")  # fmt: skip


@check("inference_backend.stops", kind=_KIND, at="host", title="a stop sequence ends the answer before it, streamed or not")
def stops(bench: Bench) -> Iterator[CheckFailed]:
    question, wanted = SENTENCES[0]
    before = wanted.partition("capital")[0].strip()
    answer = served(bench).ask(question, stop=["capital"])
    if _text(answer).strip() != before or answer.choices[0].finish_reason != "stop":
        yield CheckFailed(
            f"told to stop at 'capital' it answers {_text(answer)!r}", fix="Cut before the stop sequence, also across tokens."
        )
    if bench.record.capabilities.get("api.stream") in ("full", "partial"):
        pieces, _ = _streamed(bench, question, stop=["capital"])
        if "".join(pieces).strip() != before:
            yield CheckFailed(
                f"streamed and told to stop at 'capital' it sends {''.join(pieces)!r}", fix="Hold back what may become a stop sequence."
            )


@check(
    "inference_backend.logprobs",
    kind=_KIND,
    at="host",
    when=has("api.logprobs"),
    title="log-probabilities are those of the tokens sent, the likeliest first",
)
def logprobs(bench: Bench) -> Iterator[CheckFailed]:
    others = bench.record.capabilities["api.logprobs"] == "full"  # in part: of the chosen token alone
    answer = served(bench).ask(logprobs=True, **({"top_logprobs": 3} if others else {}))
    content = (answer.choices[0].logprobs and answer.choices[0].logprobs.content) or []
    if not content:
        yield CheckFailed(
            "asked for log-probabilities it gives none", fix="Fill `choices[0].logprobs.content`, or declare api.logprobs none."
        )
    for entry in content:
        values = [top.logprob for top in entry.top_logprobs]
        if entry.logprob > 1e-6 or values != sorted(values, reverse=True) or (others and not values):
            yield CheckFailed(
                f"{entry.token!r} has {entry.logprob:g}, and beside it stand {values}", fix="Give logarithms, the largest first."
            )
        if others and abs(entry.logprob - values[0]) > 1e-3:
            yield CheckFailed(
                f"greedy, {entry.token!r} is chosen at {entry.logprob:g}, and the likeliest has {values[0]:g}", fix="Choose the likeliest."
            )
    if not _text(answer).startswith("".join(entry.token for entry in content[:2])[:1]):
        yield CheckFailed("the tokens with log-probabilities are not those of the answer", fix="Give one entry for each token sent.")


@check("inference_backend.seeds", kind=_KIND, at="host", title="the same seed samples the same answer")
def seeds(bench: Bench) -> None:
    given = [_text(served(bench).ask("Who?", temperature=2.0, seed=7, max_tokens=24)) for _ in range(3)]
    if len(set(given)) > 1:
        raise CheckFailed(
            "one seed gives different answers", found=repr(given[:2]), fix="Give each request a generator of its own, made of its seed."
        )
    others = {_text(served(bench).ask("Who?", temperature=2.0, seed=seed, max_tokens=24)) for seed in range(10, 15)}
    if len(others) < 2:
        raise CheckFailed("five seeds at temperature 2 give one answer", fix="Sample at temperatures above 0.")


@check(
    "inference_backend.long-prompts",
    kind=_KIND,
    at="host",
    title="a prompt that the model has no room for is refused by 4xx, and the next one answered",
)
def long_prompts(bench: Bench) -> None:
    endpoint = served(bench)
    body = {"model": NAME, "messages": [{"role": "user", "content": "capital " * LONG}], "max_tokens": 4}
    status = endpoint.post(_CHAT, json.dumps(body).encode())
    if not 400 <= status < 500:
        raise CheckFailed(
            f"a prompt longer than the model's context gets {status or 'no answer'}", fix="Compare its length with the context first."
        )
    endpoint.alive()


@check("inference_backend.concurrent", kind=_KIND, at="host", title="asked by many at a time, each gets the answer it would get alone")
def concurrent(bench: Bench) -> Iterator[CheckFailed]:
    endpoint = served(bench)
    asked = [SENTENCES[number % len(SENTENCES)] for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        given = list(pool.map(lambda pair: _text(endpoint.ask(pair[0], max_tokens=64)).strip(), asked))
    for (question, wanted), answer in zip(asked, given, strict=True):
        if answer != wanted:
            yield CheckFailed(
                f"among {MANY} at a time, {question!r} gets {answer[:60]!r}", fix="Keep requests apart in cache, mask and positions."
            )


@check(
    "inference_backend.disconnects",
    kind=_KIND,
    at="host",
    when=has("api.stream"),
    title="a client that hangs up in the middle costs nobody else anything",
)
def disconnects(bench: Bench) -> None:
    endpoint = served(bench)
    for _ in range(3):
        with endpoint.ask("Count.", stream=True, max_tokens=200, temperature=1.5) as stream:
            next(iter(stream))
    endpoint.alive()


_BAD: tuple[tuple[str, bytes], ...] = (
    ("no JSON", b"{"),
    ("no messages", json.dumps({"model": NAME}).encode()),
    ("messages that are a string", json.dumps({"model": NAME, "messages": "hi"}).encode()),
    (
        "a temperature that is a word",
        json.dumps({"model": NAME, "messages": [{"role": "user", "content": "hi"}], "temperature": "hot"}).encode(),
    ),
    ("negative max_tokens", json.dumps({"model": NAME, "messages": [{"role": "user", "content": "hi"}], "max_tokens": -5}).encode()),
)


@check("inference_backend.bad-requests", kind=_KIND, at="host", title="requests that can't be answered get 4xx, and the server goes on")
def bad_requests(bench: Bench) -> Iterator[CheckFailed]:
    endpoint = served(bench)
    for what, body in _BAD:
        status = endpoint.post(_CHAT, body)
        if not 400 <= status < 500:
            yield CheckFailed(
                f"a request with {what} gets {status or 'no answer'}", fix="Check requests before they reach the model; answer 400 or 422."
            )
    endpoint.alive()


@check(
    "inference_backend.completions",
    kind=_KIND,
    at="host",
    when=has("api.completions"),
    title="/v1/completions goes on from a text as it stands",
)
def completions(bench: Bench) -> None:
    prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\nParis is the"
    answer = served(bench).client.completions.create(model=NAME, prompt=prompt, temperature=0, max_tokens=32)
    if answer.choices[0].text.strip() != "capital of France.":
        raise CheckFailed(
            f"a text is completed by {answer.choices[0].text[:60]!r}", fix="Add nothing to the prompt; read special tokens as such."
        )


@check(
    "inference_backend.echoes",
    kind=_KIND,
    at="host",
    when=has("api.echo"),
    title="`echo` gives the log-probabilities of a prompt of token ids, the first one's empty",
)
def echoes(bench: Bench) -> None:
    tokens = list(range(3, 15))
    answer = served(bench).client.completions.create(model=NAME, prompt=tokens, temperature=0, max_tokens=0, echo=True, logprobs=1)
    found = (answer.choices[0].logprobs and answer.choices[0].logprobs.token_logprobs) or []
    if len(found) < len(tokens) or found[0] is not None or any(value is None or value > 1e-6 for value in found[1 : len(tokens)]):
        raise CheckFailed(
            f"the log-probabilities of {len(tokens)} tokens come back as {found[:6]}", fix="None for the first, then one for each."
        )


@check("inference_backend.routes", kind=_KIND, at="host", title="/health and /metrics answer")
def routes(bench: Bench) -> Iterator[CheckFailed]:
    for route in ("/health", "/metrics"):
        if (status := served(bench).get(route)) != 200:
            yield CheckFailed(f"{route} gets {status or 'no answer'}", fix="Answer 200 once requests are answered.")


@check(
    "inference_backend.drains",
    kind=_KIND,
    at="host",
    level="gold",
    title="asked to stop, it ends the requests that are under way, then itself",
)
def drains(bench: Bench) -> None:
    with serving(bench) as endpoint, ThreadPoolExecutor(1) as pool:
        stream = endpoint.ask("Who?", stream=True, max_tokens=60, temperature=1.0, seed=1)
        chunks = iter(stream)
        next(chunks)
        rest = pool.submit(lambda: [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason])
        endpoint.worker.cancel()
        ended = endpoint.worker.ending(15.0).done
        for rank in endpoint.worker.workers.ranks:  # as the kernel does with one that has said it is done
            rank.shutdown()
        reasons: list[str] = []
        try:
            reasons = rest.result(15.0)
        except Exception as error:
            raise CheckFailed(f"an answer under way is cut off by {type(error).__name__}", found=str(error)[:120],
                              fix="Let running requests end before the server does.") from error  # fmt: skip
        if not reasons:
            raise CheckFailed("an answer under way ends without a reason", fix="Let running requests end before the server does.")
        if not ended:
            raise CheckFailed("it has not ended 15 s after it was asked to", fix="Return from `serve` once requests have ended.")
