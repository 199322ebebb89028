"""/v1/responses by the official client's own calls: whole, streamed, parsed, with tools and thoughts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest

TEMPLATE = (
    "{% if tools %}Call {{ tools | length }} tools as <tool_call>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
HELLO = [{"role": "user", "content": "hi"}]


def ask(client: Any, **options: Any) -> Any:
    return client.responses.create(**{"model": "tiny", "input": "hi", "max_output_tokens": 24, "temperature": 0, **options})


def test_a_response_says_what_chat_says(client: Any) -> None:
    response = ask(client)
    chat = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=24, temperature=0)
    assert response.output_text == chat.choices[0].message.content
    assert response.usage.input_tokens == chat.usage.prompt_tokens
    assert response.usage.output_tokens == chat.usage.completion_tokens
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_items_instructions_and_earlier_calls_are_a_conversation(client: Any) -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]},
        {"type": "function_call", "call_id": "1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "rain"},
        {"type": "reasoning", "summary": []},
    ]
    response = ask(client, input=items, instructions="be kind")
    messages = [
        {"role": "system", "content": "be kind"}, *HELLO, {"role": "assistant", "content": "hello", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "rain"},
    ]  # fmt: skip
    chat = client.chat.completions.create(model="tiny", messages=messages, max_tokens=24, temperature=0)
    assert response.output_text == chat.choices[0].message.content


def test_a_streams_events_are_whole_and_in_order(client: Any) -> None:
    alone = ask(client)
    events = list(ask(client, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "incomplete"]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == alone.output_text
    assert events[-1].response.output_text == alone.output_text
    assert events[-1].response.usage.output_tokens == alone.usage.output_tokens
    with client.responses.stream(model="tiny", input="hi", max_output_tokens=24, temperature=0) as stream:
        assert [event.type for event in stream][-1] == "response.incomplete"


def test_the_clients_parse_gives_an_object(client: Any) -> None:
    pytest.importorskip("llguidance", reason="the extra `structured` brings it")

    class Place(pydantic.BaseModel):
        old: bool

    response = client.responses.parse(model="tiny", input="Where?", max_output_tokens=200, text_format=Place)
    assert isinstance(response.output_parsed, Place)
    assert response.status == "completed"


def test_tools_and_thoughts_are_items_of_their_own(tiny: Path, serve: Any, tmp_path: Path, says: Any) -> None:
    shutil.copytree(tiny, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(TEMPLATE)
    tool: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
    says('<think>Rain?</think>Let me see.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>')
    with serve(tmp_path / "model") as server:
        client = server.client()
        response = ask(client, tools=[tool], max_output_tokens=300)
        thoughts, message, call = response.output
        assert (thoughts.type, thoughts.content[0].text) == ("reasoning", "Rain?")
        assert (message.type, message.content[0].text) == ("message", "Let me see.")
        assert (call.name, json.loads(call.arguments), call.status) == ("weather", {"city": "Paris"}, "completed")
        assert 0 < response.usage.output_tokens_details.reasoning_tokens < response.usage.output_tokens
        events = list(ask(client, tools=[tool], max_output_tokens=300, stream=True))
        assert [item.type for item in events[-1].response.output] == ["reasoning", "message", "function_call"]
        assert [e.arguments for e in events if e.type == "response.function_call_arguments.done"] == [call.arguments]
        assert [e.output_index for e in events if e.type == "response.output_item.done"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "why"),
    [({"previous_response_id": "resp_1"}, "keeps none"), ({"store": True}, "keeps none"), ({"background": True}, "keeps none"),
     ({"input": [{"type": "image_generation_call"}]}, "does not know"), ({"input": [{"type": "function_call"}]}, "lacks `name`"),
     ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}]}, "reads text only"),
     ({"input": [{"type": "reasoning"}]}, "no message"), ({"input": [{"content": "x"}]}, "lacks a `role`"),
     ({"tools": [{"type": "web_search"}]}, "tools"), ({"max_output_tokens": 10**6}, "context")],
)  # fmt: skip
def test_what_is_not_there_is_refused_by_name(client: Any, options: dict[str, Any], why: str) -> None:
    with pytest.raises(openai.BadRequestError, match=why):
        ask(client, **options)


def test_a_failure_in_a_stream_is_an_event(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith_transformers.engine import batch_execution

    def choose(logits: Any, draws: Any) -> Any:
        raise RuntimeError("no such token")

    monkeypatch.setattr(batch_execution, "choose", choose)
    *_, last = ask(client, stream=True)
    assert last.type == "response.failed"
    assert "no such token" in last.response.error.message
