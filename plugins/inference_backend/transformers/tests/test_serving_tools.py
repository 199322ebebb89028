"""Calls of tools and thoughts: read out of what models write, whole and streamed, by the official client's own calls."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith_transformers.text.message import MessageForm, MessageParser, Parts
from tunesmith_transformers.text.reasoning import Reasoning
from tunesmith_transformers.text.tool_calls import HermesCalls, JsonCalls, read_call, style_of

HERMES = (
    "{% if tools %}<|im_start|>system\nCall {{ tools | length }} tools as <tool_call><|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if think %}<think>\n{% endif %}{% endif %}"
)
LLAMA = (
    '{% if tools %}Environment: ipython\n{"name": ..., "parameters": ...} {{ tools | length }}{% endif %}'
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
WEATHER = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"], "additionalProperties": False}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "time"}},
]
CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'
SAID = f'Let me see.\n<tool_call>\n{CALL}\n</tool_call>\n<tool_call>\n{{"name": "time", "arguments": {{}}}}\n</tool_call>'


@pytest.fixture(scope="module")
def serving(tiny: Path, serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """``serving(template)``: the client of a server of the tiny model with this template."""
    import contextlib

    with contextlib.ExitStack() as stack:
        servers: dict[str, Any] = {}

        def start(template: str) -> Any:
            if template not in servers:
                path = tmp_path_factory.mktemp("tools") / "model"
                shutil.copytree(tiny, path)
                (path / "chat_template.jinja").write_text(template)
                servers[template] = stack.enter_context(serve(path)).client()
            return servers[template]

        yield start


def ask(client: Any, **options: Any) -> Any:
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "Is it raining?"}], "max_tokens": 300, "tools": TOOLS, **options}
    return client.chat.completions.create(**asked)


def streamed(client: Any, **options: Any) -> tuple[str, str, list[tuple[str, str]], str]:
    """(thoughts, content, calls as name and arguments, finish) put together from a stream's chunks."""
    thoughts, content, calls, finish = "", "", {}, ""
    for chunk in ask(client, stream=True, **options):
        delta = chunk.choices[0].delta
        thoughts += getattr(delta, "reasoning_content", None) or ""
        content += delta.content or ""
        for call in delta.tool_calls or ():
            if call.function.name:
                assert call.id
                calls[call.index] = [call.function.name, ""]
            calls[call.index][1] += call.function.arguments
        finish = chunk.choices[0].finish_reason or finish
    return thoughts, content, [tuple(call) for _, call in sorted(calls.items())], finish


def test_calls_come_as_tool_calls_and_text_before_them_as_content(serving: Any, says: Any) -> None:
    says(SAID)
    client, wanted = serving(HERMES), [("weather", '{"city": "Paris"}'), ("time", "{}")]
    answer = ask(client).choices[0]
    assert answer.finish_reason == "tool_calls"
    assert answer.message.content == "Let me see."
    assert [(call.function.name, call.function.arguments) for call in answer.message.tool_calls] == wanted
    assert len({call.id for call in answer.message.tool_calls}) == 2
    assert streamed(client) == ("", "Let me see.", wanted, "tool_calls")


def test_without_tools_the_same_words_are_text(serving: Any, says: Any) -> None:
    says(SAID)
    answer = ask(serving(HERMES), tools=openai.NOT_GIVEN).choices[0]
    assert (answer.message.content, answer.message.tool_calls, answer.finish_reason) == (SAID, None, "stop")
    assert ask(serving(HERMES), tool_choice="none").choices[0].message.content == SAID


def test_llama_3_calls_with_bare_json(serving: Any, says: Any) -> None:
    says('{"name": "weather", "parameters": {"city": "Rome"}}; {"name": "time", "parameters": {}}')
    client, wanted = serving(LLAMA), [("weather", '{"city": "Rome"}'), ("time", "{}")]
    answer = ask(client).choices[0]
    assert [(call.function.name, call.function.arguments) for call in answer.message.tool_calls] == wanted
    assert answer.message.content is None
    assert streamed(client) == ("", "", wanted, "tool_calls")
    says('{"answer": 42}')
    assert streamed(client) == ("", '{"answer": 42}', [], "stop")


def test_thoughts_are_told_from_the_answer(serving: Any, says: Any) -> None:
    client = serving(HERMES)
    says(f"<think>\nRain? <b>\n</think>\n\n{SAID}")
    answer = ask(client).choices[0].message
    assert answer.reasoning_content == "Rain? <b>"
    assert answer.content == "Let me see."
    assert len(answer.tool_calls) == 2
    assert streamed(client)[:2] == ("Rain? <b>", "Let me see.")
    says("Hm.</think>Yes.")  # where the prompt ends within thoughts, the answer begins with them
    assert streamed(client, extra_body={"chat_template_kwargs": {"think": True}}) == ("Hm.", "Yes.", [], "stop")
    says("no thoughts")
    assert not hasattr(ask(client).choices[0].message, "reasoning_content")


@pytest.mark.parametrize("template", [HERMES, LLAMA], ids=["hermes", "llama"])
def test_a_named_tool_is_called_with_arguments_of_its_schema(serving: Any, template: str) -> None:
    pytest.importorskip("llguidance", reason="the extra `structured` brings it")
    client, choice = serving(template), {"type": "function", "function": {"name": "weather"}}
    answer = ask(client, tool_choice=choice, seed=3).choices[0]
    (call,) = answer.message.tool_calls
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments)["city"] in ("Paris", "Rome")
    assert answer.finish_reason == "stop"
    assert streamed(client, tool_choice=choice, seed=3) == ("", "", [("weather", call.function.arguments)], "stop")


def test_some_tool_is_called_where_one_has_to_be(serving: Any) -> None:
    pytest.importorskip("llguidance", reason="the extra `structured` brings it")
    tools = [TOOLS[0], {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "additionalProperties": False}}}]
    for seed in range(4):
        answer = ask(serving(HERMES), tools=tools, tool_choice="required", seed=seed).choices[0]
        (call,) = answer.message.tool_calls
        assert call.function.name in ("weather", "time")
        assert json.loads(call.function.arguments).keys() <= {"city"}
        assert answer.finish_reason == "tool_calls"


def test_a_tool_that_is_not_there_can_not_be_asked_for(serving: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="none of the `tools`"):
        ask(serving(HERMES), tool_choice={"type": "function", "function": {"name": "nothing"}})


def test_a_models_way_of_calling_is_known_by_its_template() -> None:
    assert [style_of(template) for template in (HERMES, LLAMA, "{{ messages }}")] == ["hermes", "llama3_json", ""]


def test_qwens_coders_write_calls_in_xml() -> None:
    call = read_call("\n<function=weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n")
    assert call is not None
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris", "days": 3})


PIECES = ["<tool_call>", "</tool_call>", CALL, "<think>", "</think>", " ", "\n", "é", "<", "{", "}", "Hello", '{"name": "time"}', ";"]
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


@settings(deadline=None, max_examples=300)
@given(TEXT, st.lists(st.integers(1, 9), max_size=40), st.booleans(), st.sampled_from(["hermes", "llama3_json", ""]))
def test_a_message_is_the_same_however_its_text_is_cut(text: str, sizes: list[int], thinking: bool, style: Any) -> None:
    form = MessageForm(True, thinking, style, ("time", "weather"))

    def read(pieces: list[str]) -> tuple[str, str, list[Any]]:
        parser = MessageParser(form)
        parts = [*(parser.push(piece) for piece in pieces), parser.push("", last=True)]
        calls = [(part.index, part.name, part.arguments) for one in parts for part in one.calls]
        return "".join(one.reasoning for one in parts), "".join(one.content for one in parts), calls

    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    assert read([*pieces, text[at:]]) == read([text])


@settings(deadline=None, max_examples=200)
@given(TEXT.filter(lambda text: "<tool_call>" not in text and "think>" not in text))
def test_text_without_tags_stays_as_it_is(text: str) -> None:
    assert MessageParser(MessageForm(True, False, "hermes", ("time",))).push(text, last=True) == Parts(content=text)
    assert Reasoning(False).push(text, last=True) == ("", text)
    assert HermesCalls().push(text, last=True) == (text, [])
    if not text.lstrip().startswith("{"):
        assert JsonCalls(("time",)).push(text, last=True) == (text, [])
