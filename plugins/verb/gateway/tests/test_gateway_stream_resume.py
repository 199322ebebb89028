"""A stream that is taken up elsewhere says every letter once, wherever it broke off and however the second server cuts its words."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_gateway.api_errors import DONE
from tunesmith_gateway.proxy.stream_resume import Resumable, Unlike
from tunesmith_gateway.request.request_body import Body

CHAT: dict[str, Any] = {"model": "m", "messages": [], "stream": True, "temperature": 0}


def stream(id: str, words: list[str]) -> bytes:
    opening = [{"delta": {"role": "assistant", "content": ""}, "index": 0, "finish_reason": None}]
    choices = [*opening, *({"delta": {"content": word}, "index": 0, "finish_reason": None} for word in words)]
    choices.append({"delta": {}, "index": 0, "finish_reason": "stop"})
    events = [
        *({"id": id, "choices": [choice]} for choice in choices),
        {"id": id, "choices": [], "usage": {"completion_tokens": len(words)}},
    ]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + DONE


def said(raw: bytes) -> tuple[str, set[str], int]:
    """The text of a stream, the ids in it, and how often it ended."""
    events = [event.removeprefix("data: ") for event in raw.decode().split("\n\n") if event]
    data = [json.loads(event) for event in events if event != "[DONE]"]
    choices = [choice for one in data for choice in one["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert sum(choice["finish_reason"] == "stop" for choice in choices) == 1
    assert sum("usage" in one for one in data) == 1
    return text, {one["id"] for one in data}, events.count("[DONE]")


def cut(text: str, places: list[int]) -> list[str]:
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(at)]


PLACES = st.lists(st.integers(0, 99))


@given(text=st.text(min_size=1, max_size=40), first=PLACES, second=PLACES, broken=st.integers(0, 10**6))
def test_every_letter_comes_once(text: str, first: list[int], second: list[int], broken: int) -> None:
    resumable = Resumable.of(Body(b"", CHAT))
    assert resumable is not None
    raw = stream("first", cut(text, first))
    sent = resumable.taken(raw[: broken % (len(raw) - len(DONE) + 1)])  # also after it has said that it is finished
    resumable.again()
    again = stream("second", cut(text, second))
    for start in range(0, len(again), 7):
        sent += resumable.taken(again[start : start + 7])
    told, ids, ends = said(sent)
    assert (told, ends) == (text, 1)
    assert len(ids) == 1


@pytest.mark.parametrize("words", [["hello ", "moon"], ["hel"], ["hello", "!"]])
def test_another_answer_is_not_sewn_on(words: list[str]) -> None:
    resumable = Resumable.of(Body(b"", CHAT))
    assert resumable is not None
    whole = stream("first", ["hello ", "world", " and more"])
    resumable.taken(whole[: whole.index(b" and more")])
    resumable.again()
    with pytest.raises(Unlike):
        resumable.taken(stream("second", words))


@pytest.mark.parametrize("more", [{"temperature": 1}, {"n": 2}, {"logprobs": True}, {"tools": [{}]}])
def test_what_another_try_might_say_otherwise_is_not_taken_up(more: dict[str, Any]) -> None:
    assert Resumable.of(Body(b"", CHAT | more)) is None
    assert Resumable.of(Body(b"", CHAT | {"temperature": 1, "seed": 7})) is not None
