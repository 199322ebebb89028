"""What clients get: answers whole and in pieces, names, errors in the form of the API, ids; what is written down of it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest


def test_openai_s_client_is_answered_whole_and_in_pieces(small: Any) -> None:
    gateway, _ = small
    client = openai.OpenAI(base_url=gateway.url, api_key="none", max_retries=0)
    messages: Any = [{"role": "user", "content": "hello"}]
    whole = client.chat.completions.create(model="bot", messages=messages, max_tokens=3)
    assert whole.choices[0].message.content == "one:hello 0 1 2"
    pieces = [p.choices[0].delta.content for p in client.chat.completions.create(model="bot", messages=messages, max_tokens=3, stream=True)]
    assert pieces == ["one:hello", " 0", " 1", " 2"]
    assert client.completions.create(model="bot", prompt="go", max_tokens=1).choices[0].text == "one:go 0"


def test_a_stream_is_passed_on_byte_by_byte_and_as_it_comes(small: Any) -> None:
    gateway, engine = small
    body = {"model": "small", "messages": [{"role": "user", "content": "slow"}], "stream": True}
    direct = httpx.post(f"{engine.url}/chat/completions", json=body).content
    with httpx.stream("POST", f"{gateway.url}/chat/completions", json=body | {"model": "bot"}, timeout=30) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == direct
    assert len(pieces) >= 4, "it comes in pieces, not at the end"


def test_models_of_all_servers_are_listed_together(small: Any) -> None:
    gateway, _ = small
    assert [model["id"] for model in httpx.get(f"{gateway.url}/models").json()["data"]] == ["bot", "other"]
    assert httpx.get(f"{gateway.url}/models/bot").json()["id"] == "bot"
    assert httpx.get(f"{gateway.url}/models/none").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b"[]", 400),
        ("POST", "/v1/chat/completions", b'{"model": 3}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "bot", "temperature": NaN}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "\\ud800"}', 404),
        ("POST", "/v1/chat/completions", b'{"a":' * 100_000, 400),
        ("POST", "/v1/chat/completions", b'{"model": "nobody"}', 404),
        ("POST", "/v1/../state", b"{}", 404),
        ("POST", "/v1/%2e%2e/state", b"{}", 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("GET", "/", b"", 404),
    ],
)
def test_a_wrong_request_is_told_so_in_the_form_of_the_api(small: Any, method: str, path: str, body: bytes, status: int) -> None:
    gateway, _ = small
    url = httpx.URL(gateway.root).copy_with(raw_path=path.encode())
    answer = httpx.request(method, url, content=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]


def test_what_a_web_page_could_send_is_refused(small: Any) -> None:
    gateway, _ = small
    assert httpx.post(f"{gateway.url}/chat/completions", content=b'{"model": "bot"}').status_code == 415
    assert httpx.get(f"{gateway.url}/models", headers={"Host": "evil.example.com"}).status_code == 403


def test_a_servers_own_error_is_passed_on_and_one_that_hangs_is_a_504(small: Any) -> None:
    gateway, _ = small
    failed = gateway.ask("fail")
    assert (failed.status_code, failed.json()["error"]["message"]) == (500, "it failed")
    assert gateway.ask("hang", model="other").status_code == 504


def test_a_stream_that_is_broken_off_says_so_to_its_client(small: Any) -> None:
    gateway, _ = small
    text = gateway.ask("half", stream=True, max_tokens=6).text
    *_, error, done = [event for event in text.split("\n\n") if event]
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "upstream_failed"
    assert done == "data: [DONE]"
    messages: Any = [{"role": "user", "content": "half"}]
    stream = openai.OpenAI(base_url=gateway.url, api_key="none").chat.completions.create(model="bot", messages=messages, stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def test_a_request_s_id_is_the_client_s_and_goes_to_server_and_log_without_what_was_said(small: Any) -> None:
    gateway, engine = small
    body = {"model": "bot", "messages": [{"role": "user", "content": "a secret question"}]}
    answer = httpx.post(f"{gateway.url}/chat/completions", json=body, headers={"X-Request-Id": "mine-7", "traceparent": "00-a-b-01"})
    assert answer.headers["x-request-id"] == "mine-7"
    assert engine.state["headers"]["x-request-id"] == "mine-7"
    assert engine.state["headers"]["traceparent"] == "00-a-b-01"
    (line,) = [line for line in gateway.lines() if line["request"] == "mine-7"]
    assert (line["model"], line["status"], line["outcome"], line["attempts"]) == ("bot", 200, "done", 1)
    assert line["seconds"] >= line["first_byte_seconds"] > 0
    assert "secret" not in gateway.log.read_text()
    assert httpx.get(f"{gateway.url}/models", headers={"X-Request-Id": "x" * 200}).headers["x-request-id"] != "x" * 200


def test_metrics_count_requests_by_model_and_know_the_servers(small: Any) -> None:
    gateway, _ = small
    before = gateway.metric("tunesmith_gateway_requests_total", model="other", status="200")
    assert gateway.ask(model="other").status_code == 200
    assert gateway.metric("tunesmith_gateway_requests_total", model="other", status="200") == before + 1
    assert gateway.metric("tunesmith_gateway_upstream_up", model="other") == 1
    assert gateway.metric("tunesmith_gateway_first_byte_seconds_count", model="other") >= 1
    text = httpx.get(f"{gateway.root}/metrics").text
    gateway.ask(model="made-up-by-a-stranger")
    assert "made-up-by-a-stranger" not in text + httpx.get(f"{gateway.root}/metrics").text
