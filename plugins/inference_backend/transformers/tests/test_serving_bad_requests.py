"""Bad requests get a 4xx with an OpenAI error object that names the field, and the server goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
TEXT = {"model": "tiny", "prompt": "hi", "max_tokens": 2}


def post(server: Any, route: str, body: Any) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{server.url}/{route}", content=raw, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("route", "change", "status", "param"),
    [
        ("chat/completions", {"model": "other"}, 404, "model"),
        ("chat/completions", {"messages": []}, 400, "messages"),
        ("chat/completions", {"messages": "hi"}, 400, "messages"),
        ("chat/completions", {"messages": [{"role": "user", "content": 5}]}, 400, "messages[0].content"),
        ("chat/completions", {"messages": [{"content": "x"}]}, 400, "messages[0].role"),
        ("chat/completions", {"messages": [{"role": "boss", "content": "x"}]}, 400, "messages[0].role"),
        ("chat/completions", {"max_tokens": "many"}, 400, "max_tokens"),
        ("chat/completions", {"max_tokens": 0}, 400, "max_tokens"),
        ("chat/completions", {"max_tokens": -1}, 400, "max_tokens"),
        ("chat/completions", {"max_tokens": 2.5}, 400, "max_tokens"),
        ("chat/completions", {"max_tokens": 100000}, 400, "messages"),
        ("chat/completions", {"temperature": 3}, 400, "temperature"),
        ("chat/completions", {"temperature": True}, 400, "temperature"),
        ("chat/completions", {"top_p": 0}, 400, "top_p"),
        ("chat/completions", {"n": 0}, 400, "n"),
        ("chat/completions", {"n": 1000}, 400, "n"),
        ("chat/completions", {"stop": [""]}, 400, "stop[0]"),
        ("chat/completions", {"stop": 5}, 400, "stop"),
        ("chat/completions", {"logprobs": 3}, 400, "logprobs"),
        ("chat/completions", {"top_logprobs": 3}, 400, "top_logprobs"),
        ("chat/completions", {"logprobs": True, "top_logprobs": 50}, 400, "top_logprobs"),
        ("chat/completions", {"max_token": 3}, 400, "max_token"),
        ("chat/completions", {"max_tokens": 3, "max_completion_tokens": 2}, 400, "max_completion_tokens"),
        ("chat/completions", {"max_completion_tokens": 0, "max_tokens": None}, 400, "max_completion_tokens"),
        ("chat/completions", {"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "tools"),
        ("chat/completions", {"tools": [{"type": "retrieval"}]}, 400, None),
        ("chat/completions", {"tools": [{"type": "function", "function": {}}], "tool_choice": "none"}, 400, None),
        ("chat/completions", {"chat_template_kwargs": {"tokenize": False}}, 400, "chat_template_kwargs"),
        ("chat/completions", {"chat_template_kwargs": {"messages": []}}, 400, "chat_template_kwargs"),
        ("chat/completions", {"stream_options": {"a": 1}}, 400, None),
        ("chat/completions", {"tool_choice": "required"}, 400, "tool_choice"),
        ("chat/completions", {"response_format": {"type": "yaml"}}, 400, "response_format.type"),
        ("chat/completions", {"response_format": {"type": "json_schema"}}, 400, "response_format"),
        ("chat/completions", {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}, 400, None),
        ("completions", {"prompt": ""}, 400, "prompt"),
        ("completions", {"prompt": []}, 400, "prompt"),
        ("completions", {"prompt": [[]]}, 400, None),
        ("completions", {"prompt": ["a", 5]}, 400, None),
        ("completions", {"prompt": [1, 2, 10**9]}, 400, "prompt"),
        ("completions", {"prompt": [-1]}, 400, None),
        ("completions", {"prompt": "a" * 600}, 400, "prompt"),
        ("completions", {"prompt": "\ud83d"}, 400, None),
        ("completions", {"model": "\ud83d"}, 400, None),
        ("completions", {"logit_bias": {"x": 1}}, 400, "logit_bias"),
        ("completions", {"logit_bias": {"99999": 1}}, 400, "logit_bias"),
        ("completions", {"logprobs": True}, 400, "logprobs"),
        ("completions", {"logit_bias": {"9" * 5000: 1}}, 400, "logit_bias"),
        ("completions", {"logit_bias": {str(i): 1 for i in range(2000)}}, 400, "logit_bias"),
        ("completions", {"top_k": 10**20}, 400, "top_k"),
        ("completions", {"seed": 2**63}, 400, "seed"),
        ("completions", {"max_tokens": 10**400}, 400, "max_tokens"),
        ("completions", {"temperature": 1e999}, 400, None),
        ("completions", {"repetition_penalty": 1e-300}, 400, "repetition_penalty"),
        ("completions", {"stop": ["a"] * 300_000}, 400, "stop"),
        ("completions", {"stop": "a" * 300_000}, 400, "stop"),
        ("completions", {"prompt": ["a"] * 300_000}, 400, None),
        ("completions", {"prompt": ["a"] * 5, "n": 64}, 400, "prompt"),
        ("completions", {"prompt": "a" * 3_000_000}, 400, "prompt"),
        ("completions", {"x" * 1_000_000: 1}, 400, "x" * 64),
        ("chat/completions", {"messages": [{"role": "user", "content": "a" * 3_000_000}]}, 400, "messages"),
        ("chat/completions", {"messages": [{"role": "user", "tool_calls": [{"function": {"name": 5}}]}]}, 400, None),
        ("chat/completions", {"tools": [{}] * 2000}, 400, "tools"),
        ("completions", {"suffix": "end"}, 400, "suffix"),
        ("completions", {"best_of": 3}, 400, "best_of"),
    ],
)
def test_a_wrong_field_is_refused_by_name(server: Any, route: str, change: dict[str, Any], status: int, param: str | None) -> None:
    answer = post(server, route, (CHAT if route == "chat/completions" else TEXT) | change)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, "not_found_error" if status == 404 else "invalid_request_error")
    assert error["message"]
    if param is not None:
        assert error["param"] == param


DEEP = b'{"model": "tiny", "prompt": "x", "metadata": ' + b"[" * 65 + b"]" * 65 + b"}"
NAN = b'{"model": "tiny", "prompt": "x", "temperature": NaN}'


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe\xff", b'"x"', b"[" * 100000, DEEP, NAN],
)
def test_a_body_that_is_no_json_object_is_refused(server: Any, body: bytes) -> None:
    answer = post(server, "completions", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_misspelt_field_is_met_with_the_right_one(server: Any) -> None:
    assert "`max_tokens`" in post(server, "completions", TEXT | {"max_token": 3}).json()["error"]["message"]


def test_all_wrong_fields_are_named_at_once(server: Any) -> None:
    message = post(server, "completions", TEXT | {"temperature": "hot", "n": 0, "top_p": 7}).json()["error"]["message"]
    assert all(f"`{name}`" in message for name in ("temperature", "n", "top_p"))


def test_a_message_is_whole_sentences(server: Any) -> None:
    for change in ({"temperature": 7}, {"max_token": 1}, {"whatever": 1}, {"model": "other"}, {"max_tokens": 0}, {"prompt": "a" * 600}):
        message = post(server, "completions", TEXT | change).json()["error"]["message"]
        assert message.endswith((".", "?"))
        assert not message.endswith(("..", "?."))


def test_null_means_left_out_on_every_level(server: Any) -> None:
    call = {"id": None, "type": "function", "function": {"name": "f", "arguments": None}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": None, "tool_calls": None},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "content": "x", "tool_call_id": None},
    ]
    tool = {"type": "function", "function": {"name": "f", "description": None, "parameters": None, "strict": None}}
    fields = {
        "tools": [tool],
        "stream_options": {"include_usage": None},
        "logit_bias": {"5": None},
        "response_format": {"type": None},
        "tool_choice": "none",
    }
    assert post(server, "chat/completions", CHAT | fields | {"messages": messages}).status_code == 200


def test_null_within_what_is_free_of_form_stays() -> None:
    from tunesmith_transformers.api.request.request_body import without_nulls
    from tunesmith_transformers.api.request.request_schema import CHAT as SCHEMA

    parameters = {"type": "object", "properties": {"city": {"default": None}}}
    request = {"tools": [{"function": {"name": "f", "parameters": parameters}}], "chat_template_kwargs": {"thinking": None}}
    assert without_nulls(SCHEMA, request) == request


def test_null_means_left_out_and_harmless_fields_of_the_api_are_accepted(server: Any) -> None:
    extra = {"temperature": None, "stop": None, "user": "me", "metadata": {"a": "b"}, "store": False, "seed": None}
    assert post(server, "chat/completions", CHAT | extra).status_code == 200


def test_wrong_methods_and_paths_get_error_objects(server: Any) -> None:
    assert httpx.get(f"{server.url}/completions").status_code == 405
    answer = httpx.get(f"{server.url}/rerank")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_an_unknown_model_is_a_404_everywhere(client: Any) -> None:
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**(CHAT | {"model": "other"}))


def test_a_body_beyond_the_limit_is_a_413(serve: Any, tiny: Path) -> None:
    with serve(tiny, max_request_bytes=1024) as server:
        assert post(server, "completions", TEXT | {"prompt": "a" * 2000}).status_code == 413
        assert post(server, "completions", TEXT).status_code == 200
