"""What goes to the server elsewhere and what comes back: asked by OpenAI's own client."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import openai
import pytest
from small_server import ANSWER, SmallServer, small_server

from tunesmith_remote.backend import RemoteBackend
from tunesmith_remote.settings import RemoteSettings
from tunesmith_sdk.testing.serving import Server, serving

KEY, NAME = "sk-remote-secret-77", "TUNESMITH_REMOTE_API_KEY"
MESSAGES: Any = [{"role": "user", "content": "The capital of France?"}]


@contextmanager
def proxied(directory: Path, elsewhere: SmallServer, **settings: Any) -> Iterator[Server]:
    with serving(RemoteBackend(RemoteSettings(elsewhere.url, **settings)), None, directory) as server:
        yield server


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, f"{KEY}\n")


def test_the_server_gets_the_key_and_its_own_name_of_the_model(tmp_path: Path) -> None:
    with small_server(key=KEY) as elsewhere, proxied(tmp_path, elsewhere, api_key_env=NAME) as server:
        client = server.client()
        answer = client.chat.completions.create(model="bot", messages=MESSAGES, temperature=0.5)
        assert answer.choices[0].message.content == ANSWER
        assert [model.id for model in client.models.list()] == ["bot"]
        (asked,) = elsewhere.asked
        assert (asked["key"], asked["model"], asked["temperature"]) == (f"Bearer {KEY}", "acme-large", 0.5)
        assert 'tunesmith_remote_requests_total{outcome="answered"} 1' in get(server, "/metrics")
        assert KEY not in repr(server.step.reports.__dict__)


def test_without_a_key_none_is_sent_not_even_the_client_s_own(tmp_path: Path) -> None:
    with small_server() as elsewhere, proxied(tmp_path, elsewhere, model="acme-small") as server:
        server.client(api_key="mine").chat.completions.create(model="bot", messages=MESSAGES)
        assert [(one["key"], one["model"]) for one in elsewhere.asked] == [("", "acme-small")]


@pytest.mark.parametrize(("models", "wanted"), [(None, "any"), (("acme-large",), "acme-large:fast"), (("acme-large",), "listed-nowhere")])
def test_a_model_that_is_not_listed_may_be_there(tmp_path: Path, models: tuple[str, ...] | None, wanted: str) -> None:
    with small_server(models=models) as elsewhere, proxied(tmp_path, elsewhere, model=wanted) as server:
        server.client().chat.completions.create(model="bot", messages=MESSAGES)
        assert [one["model"] for one in elsewhere.asked] == [wanted]


def test_a_key_that_a_refusal_repeats_is_taken_out(tmp_path: Path) -> None:
    with small_server(key=KEY) as elsewhere, proxied(tmp_path, elsewhere, api_key_env=NAME) as server:
        elsewhere.key = "changed meanwhile"
        with pytest.raises(openai.AuthenticationError) as caught:
            server.client().chat.completions.create(model="bot", messages=MESSAGES)
        assert "wrong: Bearer [key]" in str(caught.value)
        assert KEY not in str(caught.value)


def test_a_redirect_does_not_lead_the_key_away(tmp_path: Path) -> None:
    with small_server() as elsewhere, proxied(tmp_path, elsewhere) as server:
        with pytest.raises(openai.InternalServerError) as caught:
            server.client().chat.completions.create(model="bot", messages=MESSAGES, user="moved")
        assert caught.value.status_code == 502


def test_a_stream_arrives_in_its_pieces_before_it_is_over(tmp_path: Path) -> None:
    with small_server(wait=60.0) as elsewhere, proxied(tmp_path, elsewhere) as server:
        chunks = iter(server.client().chat.completions.create(model="bot", messages=MESSAGES, stream=True))
        assert next(chunks).choices[0].delta.content == "It"
        elsewhere.going_on.set()
        assert [chunk.choices[0].finish_reason for chunk in chunks] == ["stop"]


def test_a_client_that_hangs_up_ends_its_request_elsewhere(tmp_path: Path) -> None:
    with small_server(wait=60.0) as elsewhere, proxied(tmp_path, elsewhere) as server:
        with server.client().chat.completions.create(model="bot", messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        assert elsewhere.left.wait(20.0)


def test_a_server_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    with small_server(wait=60.0) as elsewhere, proxied(tmp_path, elsewhere, timeout=0.5) as server:
        with pytest.raises(openai.APIConnectionError):
            server.client().chat.completions.create(model="bot", messages=MESSAGES)
        assert 'outcome="failed"} 1' in get(server, "/metrics")


def test_a_server_that_has_gone_is_a_failure_and_no_end_of_the_proxy(tmp_path: Path) -> None:
    with small_server() as elsewhere, proxied(tmp_path, elsewhere) as server:
        elsewhere.stop()
        for _ in range(2):
            with pytest.raises(openai.InternalServerError) as caught:
                server.client().chat.completions.create(model="bot", messages=MESSAGES)
            assert caught.value.status_code == 502


def test_asked_to_stop_it_ends_what_runs_so_that_its_client_knows(tmp_path: Path) -> None:
    with small_server(wait=60.0) as elsewhere, proxied(tmp_path, elsewhere) as server:
        server.step.settings = type(server.step.settings)(shutdown_grace=0.5)
        chunks = iter(server.client().chat.completions.create(model="bot", messages=MESSAGES, stream=True))
        next(chunks)
        Thread(target=server.stop).start()
        with pytest.raises(openai.APIError, match="being stopped"):
            list(chunks)


@pytest.mark.parametrize(
    ("route", "body", "headers", "status"),
    [
        ("/v1/files", {"model": "bot"}, {}, 404),  # what the key opens elsewhere beside the model
        ("/v1/../admin/keys", {"model": "bot"}, {}, 404),
        ("/v1/chat/completions", {"model": "acme-large"}, {}, 404),
        ("/v1/chat/completions", ["model"], {}, 400),
        ("/v1/chat/completions", {"model": "bot"}, {"Content-Type": "text/plain"}, 415),
        ("/v1/chat/completions", {"model": "bot"}, {"Host": "evil.example.com"}, 403),
        ("/v1/chat/completions", {"model": "bot", "user": "x" * 17 * 2**20}, {}, 413),
    ],
)
def test_what_is_not_handed_on(tmp_path: Path, route: str, body: Any, headers: dict[str, str], status: int) -> None:
    with small_server() as elsewhere, proxied(tmp_path, elsewhere) as server:
        given = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(server.root + route, json.dumps(body).encode(), given)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=60)
        assert caught.value.code == status
        assert json.loads(caught.value.read())["error"]["message"]
        assert elsewhere.asked == []


def test_it_stops_though_the_server_elsewhere_says_nothing(tmp_path: Path) -> None:
    import socket

    from tunesmith.contracts import Address
    from tunesmith_sdk.local_step import LocalStep
    from tunesmith_serve.settings import ServeSettings

    step = LocalStep.make(tmp_path, name="bot", settings=ServeSettings())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        backend = RemoteBackend(RemoteSettings(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"))
        thread = Thread(target=backend.serve, args=(None, "bot", Address(), step))
        thread.start()
        time.sleep(0.5)
        step.cancelled.set()
        thread.join(30.0)
        assert not thread.is_alive()
        assert not step.reports.ready.is_set()


def get(server: Server, route: str) -> str:
    with urllib.request.urlopen(server.root + route, timeout=60) as reply:
        return str(reply.read().decode())
