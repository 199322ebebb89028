"""Sentences that a language model reads: what it may answer, and what becomes of answers. The endpoint here is a fake; real ones: below."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts.settings import problems
from tunesmith.errors import TunesmithError, UserError
from tunesmith_ask.endpoint.answer import read, request_of
from tunesmith_ask.endpoint.client import Endpoint
from tunesmith_ask.endpoint.schema import request_schema, rows_files
from tunesmith_ask.vocabulary import Vocabulary

KEY = "a-key-that-nobody-may-see"
EMPTY = {"data": "", "card": "", "cards": 1, "goal": "", "minutes": 0, "model": "", "providers": [], "settings": []}
SAID = {
    **EMPTY, "data": "chats.jsonl", "card": "A10", "cards": 2, "minutes": 240, "model": "hf://Qwen/Qwen3-4B",
    "providers": ["adapter.qlora"],
    "settings": [{"of": "adapter.qlora", "setting": "r", "value": 32}, {"of": "train", "setting": "num_train_epochs", "value": 2}],
}  # fmt: skip


@pytest.fixture(scope="session")
def known(registry) -> Vocabulary:
    return Vocabulary.of(registry)


@dataclass
class FakeEndpoint:
    """Gives one answer to whatever is asked, and keeps what was asked. No model is behind it."""

    answer: Any = None
    status: int = 200
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def fake() -> Iterator[FakeEndpoint]:
    found = FakeEndpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.asked.append((self.headers.get("Authorization", ""), body))
            text = found.answer if isinstance(found.answer, str) else json.dumps(found.answer)
            said = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], "repeated": found.asked[-1][0]}).encode()
            self.send_response(found.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield found
    server.shutdown()
    server.server_close()


def test_an_answer_becomes_a_request(fake, known, folder):
    fake.answer = SAID
    found = read("QLoRA for Qwen3 4B ...", known, Path(), Endpoint(fake.url, "acme", KEY))
    assert (found.data, found.on, found.budget, found.model) == ("chats.jsonl", "2xA10", 14400.0, "hf://Qwen/Qwen3-4B")
    assert (found.named, found.settings) == ({"adapter": "qlora"}, {"r": 32, "num_train_epochs": 2})
    ((key, asked),) = fake.asked
    assert key == f"Bearer {KEY}"
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["response_format"]["json_schema"]["schema"] == request_schema(known, rows_files(folder))
    assert "adapter.qlora: " in asked["messages"][0]["content"]


@pytest.mark.parametrize(
    "answer",
    [
        "Certainly! Here is the JSON: {}", "{", {**EMPTY, "providers": ["adapter.zorba"]}, {**EMPTY, "card": "A11"}, {**EMPTY, "more": 1},
        {**EMPTY, "settings": [{"of": "adapter.lora", "setting": "r", "value": 0}]},
        {**EMPTY, "settings": [{"of": "quantizer.gptq", "setting": "bits", "value": 5}]},
        {**EMPTY, "settings": [{"of": "adapter.lora", "setting": "rang", "value": 8}]}, {**EMPTY, "data": "/etc/passwd"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_used(fake, known, folder, answer):
    fake.answer = answer
    with pytest.raises(TunesmithError, match="TS-ASK-004"):
        read("...", known, Path(), Endpoint(fake.url, "acme"))


@pytest.mark.parametrize("status", [307, 400, 401, 500])
def test_an_endpoint_that_refuses_is_told_of_without_the_key(fake, known, folder, status):
    fake.status = status
    with pytest.raises(TunesmithError, match="TS-ASK-003") as told:
        read("...", known, Path(), Endpoint(fake.url, "acme", KEY))
    assert KEY not in json.dumps(told.value.to_json())


@pytest.mark.parametrize("said", [b"HELO who are you\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"])
def test_what_is_no_web_server_or_stops_in_the_middle_is_told_of(said, known, folder):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(TunesmithError, match="TS-ASK-003"):
            read("...", known, Path(), Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", "acme"))


def test_a_card_whose_memory_is_left_open_is_asked_about_here_too(known, folder):
    found = request_of(json.dumps({**EMPTY, "card": "A100", "cards": 2}), request_schema(known, []), known.sizes)
    assert found.either == ("2xA100-40GB", "2xA100-80GB")


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "http://elsewhere.example/v1", "https://user:word@elsewhere.example/v1",
                                 "http://[::1", "http://127.0.0.1:port/v1", "http://127.0.0.1:8000/v 1"])  # fmt: skip
def test_an_address_that_would_give_the_sentence_away_is_refused(url):
    with pytest.raises(UserError, match="TS-ASK-003"):
        Endpoint(url, "acme", KEY)


def any_document(schema: Any, draw: random.Random) -> Any:
    """Any of the documents that fit a schema of ours."""
    if "anyOf" in schema:
        return any_document(draw.choice(schema["anyOf"]), draw)
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if schema["type"] == "object":
        return {name: any_document(schema["properties"][name], draw) for name in schema["required"]}
    if schema["type"] == "array":
        return [any_document(schema["items"], draw) for _ in range(draw.randint(0, schema["maxItems"]))]
    return draw.choice([True, False]) if schema["type"] == "boolean" else draw.randint(schema["minimum"], schema["maximum"])


def test_whatever_fits_the_schema_names_what_is_installed(known, folder):
    schema, draw = request_schema(known, rows_files(folder)), random.Random(7)
    for _ in range(20):
        found = request_of(json.dumps(any_document(schema, draw)), schema)
        assert all((kind, name) in known.providers for kind, name in found.named.items())
        assert found.model in ("", *known.models)
        assert found.data in ("", *rows_files(folder))


def test_every_value_that_may_be_answered_is_one_that_its_owner_takes(known):
    options = [option["properties"] for option in request_schema(known, [])["properties"]["settings"]["items"]["anyOf"]]
    assert len(options) > 50
    for option in options:
        value, (name,) = option["value"], option["setting"]["enum"]
        assert "enum" in value or value["type"] == "boolean" or value["maximum"] >= value["minimum"]
        for tried in value.get("enum", [True, False] if value.get("type") == "boolean" else [value.get("minimum"), value.get("maximum")]):
            for owner in option["of"]["enum"]:
                assert not list(problems(known.owned[owner, name], tried)), (owner, name, tried)


def test_a_strangers_adapter_may_be_answered_once_it_is_there(known, registry):
    from dataclasses import replace

    from tunesmith.plugins.registry import Registry

    lora = registry.providers("adapter")["lora"]
    angle = {"type": "object", "properties": {"angle": {"type": "integer", "minimum": 0, "maximum": 90, "default": 4}}}
    whose = next(plugin for plugin in registry.plugins if plugin.distribution == lora.distribution)
    tilt = replace(lora, name="tilt", distribution="acme-tilt", schema=angle)
    made = replace(whose, distribution="acme-tilt", providers=(tilt,), kinds=(), commands=(), events=())
    said = json.dumps({**EMPTY, "settings": [{"of": "adapter.tilt", "setting": "angle", "value": 45}]})
    found = request_of(said, request_schema(Vocabulary.of(Registry([*registry.plugins, made])), []))
    assert (found.named, found.settings) == ({"adapter": "tilt"}, {"angle": 45})
    with pytest.raises(TunesmithError, match="TS-ASK-004"):
        request_of(said, request_schema(known, []))


def test_what_is_set_of_another_provider_than_the_one_that_is_asked_for_is_told(known):
    said = {**EMPTY, "providers": ["adapter.qlora"], "settings": [{"of": "adapter.oft", "setting": "oft_block_size", "value": 16}]}
    found = request_of(json.dumps(said), request_schema(known, []))
    assert (found.named, found.settings, found.unknown) == ({"adapter": "qlora"}, {}, ("oft_block_size of adapter.oft",))
