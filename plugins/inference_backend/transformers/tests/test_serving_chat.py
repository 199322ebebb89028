"""Conversations go through the model's own chat template."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

TEMPLATE = (
    "{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% if shout %}LOUD{% endif %}"
    "{% for m in messages %}{% if m.role == 'tool' and loop.first %}{{ raise_exception('a tool speaks first') }}{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.arguments.city }}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}


@pytest.fixture(scope="module")
def chatty(tiny: Path, serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server whose template shows all that it is given."""
    path = tmp_path_factory.mktemp("chatty") / "model"
    shutil.copytree(tiny, path)
    (path / "chat_template.jinja").write_text(TEMPLATE)
    with serve(path) as server:
        yield server.client()


def ask(client: Any, *messages: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="tiny", messages=list(messages), max_tokens=16, temperature=0, **options)


def same(client: Any, answer: Any, text: str) -> None:
    """The answer is the continuation of `text`."""
    plain = client.completions.create(model="tiny", prompt=text, max_tokens=16, temperature=0)
    assert answer.choices[0].message.content == plain.choices[0].text
    assert answer.usage.prompt_tokens == plain.usage.prompt_tokens


def test_a_conversation_of_several_turns_is_the_templates_text(chatty: Any) -> None:
    turns = [("system", "be kind"), ("user", "hi"), ("assistant", "hello"), ("user", "naïve 🙂")]
    answer = ask(chatty, *({"role": role, "content": content} for role, content in turns))
    text = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns)
    same(chatty, answer, text + "<|im_start|>assistant\n")


def test_text_parts_are_joined_and_developer_is_system(chatty: Any) -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]
    answer = ask(chatty, {"role": "developer", "content": "x"}, {"role": "user", "content": parts})
    same(chatty, answer, "<|im_start|>system\nx<|im_end|>\n<|im_start|>user\na b<|im_end|>\n<|im_start|>assistant\n")


def test_an_image_for_a_text_model_is_refused_in_so_many_words(chatty: Any) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with pytest.raises(openai.BadRequestError, match="reads text only"):
        ask(chatty, {"role": "user", "content": [{"type": "text", "text": "what is this?"}, part]})


def test_tools_reach_the_template_unless_none_are_wanted(chatty: Any) -> None:
    user = {"role": "user", "content": "hi"}
    plain = ask(chatty, user).usage.prompt_tokens
    assert ask(chatty, user, tools=[TOOL]).usage.prompt_tokens > plain + 20
    assert ask(chatty, user, tools=[TOOL], tool_choice="none").usage.prompt_tokens == plain


def test_arguments_of_earlier_tool_calls_are_objects_for_the_template(chatty: Any) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    answer = ask(chatty, {"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "tool_calls": [call]})
    same(chatty, answer, "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nParis<|im_end|>\n<|im_start|>assistant\n")
    call["function"]["arguments"] = "{"
    with pytest.raises(openai.BadRequestError, match="no JSON object"):
        ask(chatty, {"role": "assistant", "tool_calls": [call]})


def test_a_conversation_is_asked_with_the_tokens_that_were_learnt(tiny: Path, tmp_path: Path) -> None:
    """Keys of tools and arguments in their order, arguments that came as text, an empty content: the same as in training."""
    from tunesmith_data.api import message
    from tunesmith_torch.api.text import chat_encoder, load_tokenizer
    from tunesmith_transformers.api.request.prompts import chat_prompt
    from tunesmith_transformers.text.vocabulary import Vocabulary

    path = tmp_path / "model"
    shutil.copytree(tiny, path)
    (path / "chat_template.jinja").write_text(TEMPLATE.replace("c.function.arguments.city", "c | tojson"))
    tools = [{"type": "function", "function": {"name": "weather", "description": "z before a", "parameters": {"z": 1, "a": 2}}}]
    call = {"type": "function", "function": {"name": "weather", "arguments": {"z": "Rome", "a": 1}}}
    learnt = [message("user", "hi"), {"role": "assistant", "content": [], "tool_calls": [call]}, message("tool", "rain")]
    whole = chat_encoder(path).encode([*learnt, message("assistant", "It rains.")], tools)
    as_text = {**call, "function": {"name": "weather", "arguments": '{"z": "Rome", "a": 1}'}}
    asked = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [as_text]},
        {"role": "tool", "content": "rain"},
    ]
    prompt = chat_prompt({"messages": asked, "tools": tools}, Vocabulary(load_tokenizer(path))).ids
    assert list(whole.tokens)[: len(prompt)] == prompt
    assert list(whole.labels).index(True, len(prompt) - 1) == len(prompt)


def test_a_base_model_stops_where_its_template_ends_a_turn(tiny: Path, tmp_path: Path) -> None:
    import json

    from tunesmith.contracts.step import Placement
    from tunesmith_transformers.model.loader import load

    path = tmp_path / "model"
    shutil.copytree(tiny, path)
    for name in ("config.json", "generation_config.json"):
        (path / name).write_text(json.dumps({**json.loads((path / name).read_text()), "eos_token_id": 0}))
    config = json.loads((path / "tokenizer_config.json").read_text())
    (path / "tokenizer_config.json").write_text(json.dumps({**config, "eos_token": "<|endoftext|>"}))
    loaded = load(path, "float32", Placement())
    assert loaded.ends == {0, loaded.tokenizer.convert_tokens_to_ids("<|im_end|>")}
    assert "<|im_end|>" in loaded.doubt


def test_switches_of_the_template_can_be_set(chatty: Any) -> None:
    user = {"role": "user", "content": "hi"}
    loud = ask(chatty, user, extra_body={"chat_template_kwargs": {"shout": True}})
    assert loud.usage.prompt_tokens > ask(chatty, user).usage.prompt_tokens


def test_what_the_template_refuses_is_a_400_with_its_words(chatty: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="a tool speaks first"):
        ask(chatty, {"role": "tool", "content": "sunny", "tool_call_id": "1"})


def test_a_model_without_a_template_says_what_to_use_instead(tiny: Path, serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "base"
    shutil.copytree(tiny, path)
    (path / "chat_template.jinja").unlink()
    with serve(path) as server:
        with pytest.raises(openai.BadRequestError, match="/v1/completions"):
            ask(server.client(), {"role": "user", "content": "hi"})
        assert server.client().completions.create(model="tiny", prompt="hi", max_tokens=2).usage.completion_tokens == 2


def test_an_answer_may_fill_the_context_when_no_length_is_given(chatty: Any) -> None:
    answer = chatty.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "hi"}], temperature=0, extra_body={"ignore_eos": True}
    )
    assert answer.usage.total_tokens == 512
    assert answer.choices[0].finish_reason == "length"
