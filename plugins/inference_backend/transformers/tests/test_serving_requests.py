"""Requests of all kinds against the real server, while a neighbour streams: no status 500, and not a letter of the neighbour's is changed.

They are drawn from the schema: values in and around each field's bounds, other types, null and junk on every level, depth, sizes, broken
JSON. ``TUNESMITH_FUZZ_REQUESTS=10000`` sends so many (default 200), and says what became of them.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tunesmith_transformers.api.request.request_schema import CHAT, COMPLETION, DETOKENIZE, IGNORED, RESPONSE, TOKENIZE

REQUESTS = int(os.environ.get("TUNESMITH_FUZZ_REQUESTS", "200"))
LENGTH = 96  # tokens in the server's context, so that an answer is short whatever is asked

WORD = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)  # halves of surrogate pairs included
NUMBER = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 2**64, 10**20, -(10**20), 10**400, -1, 0, 1e308, 1e-308])
JUNK = st.recursive(
    st.none() | st.booleans() | NUMBER | WORD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=8,
)
DEEP = st.integers(1, 3000).map(lambda depth: json.loads("[" * min(depth, 900) + "]" * min(depth, 900)))


def fitting(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema, and often of its neighbourhood: null, junk, one too many."""
    if "anyOf" in schema:
        value: st.SearchStrategy[Any] = st.one_of([fitting(option) for option in schema["anyOf"]])
    elif "enum" in schema:
        value = st.sampled_from(schema["enum"])
    elif schema.get("type") == "object":
        known = {name: fitting(inner) for name, inner in schema.get("properties", {}).items()}
        required = {name: known[name] for name in schema.get("required", ())}
        optional = {name: inner for name, inner in known.items() if name not in required}
        free = st.dictionaries(st.integers(-5, 500).map(str) | WORD, JUNK, max_size=4)
        named = st.fixed_dictionaries(required, optional=optional) if known else free
        value = named | st.tuples(named, free).map(lambda both: {**both[1], **both[0]})
    elif schema.get("type") == "array":
        most = schema.get("maxItems", 4)
        value = st.lists(fitting(schema["items"]), max_size=4) | fitting(schema["items"]).map(lambda item: many(item, most + 1))
    elif schema.get("type") == "boolean":
        value = st.booleans()
    elif schema.get("type") == "string":
        value = WORD | st.integers(0, 5000).map(lambda size: "a" * size)
    else:
        least, most = schema.get("minimum", schema.get("exclusiveMinimum", -10)), schema.get("maximum", 10)
        inside = st.integers(int(least), int(most)) if schema["type"] == "integer" else st.floats(least, most)
        value = inside | st.sampled_from([least, most, least - 1, most + 1])
    return st.one_of(value, value, value, value, st.none(), JUNK)


def many(item: Any, wanted: int) -> list[Any]:
    """So many of it, but no more than some megabytes: lists within lists would take all memory there is."""
    return [item] * max(1, min(wanted, 5000, 2**23 // len(json.dumps(item))))


def mostly(base: Mapping[str, Any], schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good request of which some fields are changed, so that what is deep within is reached as well."""
    fields = {name: fitting(inner) for name, inner in schema["properties"].items()} | {name: JUNK | DEEP for name in IGNORED}
    some = st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True)
    changes = some.flatmap(lambda names: st.fixed_dictionaries({name: fields[name] for name in names}))
    more = st.just({}) | st.just({}) | st.dictionaries(WORD, JUNK | DEEP, max_size=1)
    return st.tuples(changes, more).map(lambda both: {**base, **both[0], **both[1]})


CHATTED = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 3}
TEXT = {"model": "tiny", "prompt": "hi", "max_tokens": 3}
ANSWERED = {"model": "tiny", "input": "hi", "max_output_tokens": 3}
#: what a good answer holds, by route
HOLDS = {"chat/completions": "choices", "completions": "choices", "responses": "output", "../tokenize": "tokens", "../detokenize": "prompt"}
ROUTES = tuple(HOLDS)
BODIES = st.one_of(
    st.tuples(st.just(ROUTES[0]), mostly(CHATTED, CHAT).map(json.dumps).map(str.encode)),
    st.tuples(st.just(ROUTES[1]), mostly(TEXT, COMPLETION).map(json.dumps).map(str.encode)),
    st.tuples(st.just(ROUTES[2]), mostly(ANSWERED, RESPONSE).map(json.dumps).map(str.encode)),
    st.tuples(st.just(ROUTES[3]), mostly({"prompt": "hi"}, TOKENIZE).map(json.dumps).map(str.encode)),
    st.tuples(st.just(ROUTES[4]), mostly({"tokens": [5]}, DETOKENIZE).map(json.dumps).map(str.encode)),
    st.tuples(st.sampled_from(ROUTES), st.binary(max_size=40) | JUNK.map(json.dumps).map(str.encode)),
)


class Neighbour(threading.Thread):
    """Streams the same answer over and over, and keeps every version of it."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server, self.versions, self.ended = server, Counter[str](), threading.Event()

    def run(self) -> None:
        with self.server.client() as client:
            while not self.ended.is_set():
                self.versions[self.once(client)] += 1

    @staticmethod
    def once(client: Any) -> str:
        try:
            asked = {"model": "tiny", "prompt": "The quick", "max_tokens": 80, "temperature": 1.0, "seed": 7, "top_p": 0.9}
            chunks = list(client.completions.create(**asked, stream=True, extra_body={"ignore_eos": True}))
            assert chunks[-1].choices[0].finish_reason == "length"
            return "".join(chunk.choices[0].text for chunk in chunks)
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@pytest.fixture(scope="module")
def busy(serve: Any, tiny: Path) -> Iterator[tuple[Any, httpx.Client, Neighbour]]:
    """A server, a client of it, and a neighbour that streams all the time."""
    with serve(tiny, max_num_seqs=4, max_model_len=LENGTH) as server, httpx.Client(timeout=120) as client:
        neighbour = Neighbour(server)
        neighbour.start()
        yield server, client, neighbour
        neighbour.ended.set()
        neighbour.join()


def test_no_request_makes_a_server_error_or_changes_a_neighbours_answer(
    busy: tuple[Any, httpx.Client, Neighbour], record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server, client, neighbour = busy
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=REQUESTS, deadline=None, database=None, phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck), derandomize=REQUESTS == 200,  # `make test` sends the same ones each time
    )  # fmt: skip
    @given(BODIES)
    def send(request: tuple[str, bytes]) -> None:
        route, body = request
        answer = client.post(f"{server.url}/{route}", content=body, headers={"Content-Type": "application/json"})
        statuses[answer.status_code] += 1
        assert answer.status_code in (200, 400, 404, 413), answer.text
        if route == "responses" and answer.headers["content-type"].startswith("text/event-stream"):
            last = answer.text.strip().split("\n\n")[-1].partition("\n")[2]
            assert json.loads(last.removeprefix("data: "))["type"] in ("response.completed", "response.incomplete")
        elif answer.headers["content-type"].startswith("text/event-stream"):
            *events, done = answer.text.strip().split("\n\n")
            assert done == "data: [DONE]"
            assert all("error" not in json.loads(event.removeprefix("data: ")) for event in events)
        else:
            said = answer.json(parse_constant=_no_number)
            assert (HOLDS[route] if answer.status_code == 200 else "error") in said

    send()
    assert server.failure is None
    assert client.get(f"{server.root}/health").status_code == 200
    with server.client() as alone:
        assert set(neighbour.versions) <= {Neighbour.once(alone)}
    tried = f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}; {sum(neighbour.versions.values())} answers beside them"
    record_property("tried", tried)
    if REQUESTS > 200:
        with capsys.disabled():
            print(f"\n{tried}")
    assert sum(statuses.values()) >= REQUESTS
    assert statuses[200] > REQUESTS / 20  # not everything is refused at the door


def _no_number(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
