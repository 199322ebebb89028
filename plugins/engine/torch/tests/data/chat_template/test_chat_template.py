"""A chat template is bounded, and what it says when it refuses is told."""

from __future__ import annotations

import os

import pytest

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import CHAT_TEMPLATE, tiny_tokenizer
from tunesmith_torch.data.chat_template import renderer
from tunesmith_torch.data.chat_template.messages import for_template
from tunesmith_torch.data.chat_template.renderer import Renderer
from tunesmith_torch.data.chat_template.template import ChatTemplate
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

CONVERSATION = [{"role": "user", "content": "Hi"}]
ENDLESS = {
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "a power": "{{ (10 ** (10 ** 9)) | string | length }}",
    "doubling": "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "a wide field": "{{ 'a'.center(10 ** 11) }}",
    "writing": "{% for a in range(99999) %}{% for b in range(9999) %}{{ 'many words ' * 99 }}{% endfor %}{% endfor %}",
}


@pytest.fixture
def impatient(monkeypatch):
    """A renderer that gives a second."""
    monkeypatch.setattr(renderer, "SECONDS", 1)
    return Renderer()


@pytest.mark.parametrize("name", ENDLESS)
def test_a_template_without_end_is_stopped_and_the_next_one_answered(impatient, name):
    variables = {"messages": CONVERSATION}
    first, second = impatient.render(ENDLESS[name], [variables]), impatient.render("{{ messages[0].content }}", [variables])
    assert first[0].unbounded
    assert second[0].text == "Hi"


def test_one_conversation_without_end_takes_no_other_with_it(impatient):
    template = "{% if messages[0].content == 'Hi' %}" + ENDLESS["loops"] + "{% endif %}{{ messages[0].content }}"
    others = [{"messages": [{"role": "user", "content": text}]} for text in ("one", "Hi", "two")]
    assert [one.text for one in impatient.render(template, others)] == ["one", "", "two"]


def test_what_has_no_end_is_refused_with_a_code(monkeypatch, impatient):
    monkeypatch.setattr("tunesmith_torch.data.chat_template.template._RENDERER", impatient)
    with pytest.raises(UserError, match="TS-DATA-038"):
        ChatTemplate({"default": ENDLESS["writing"]}, {}).render(CONVERSATION)


def test_a_template_sees_no_secrets_and_reaches_no_modules(impatient, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    escape = "{{ self.__init__.__globals__ }}"
    assert impatient.render(escape, [{}])[0].error
    assert "HF_TOKEN" not in [name for name in os.environ if name in renderer._KEPT]


def test_what_a_template_says_when_it_refuses_is_told():
    with pytest.raises(UserError, match=r"TS-DATA-036.*no system role"):
        ChatTemplate({"default": "{{ raise_exception('no system role') }}"}, {}).render(CONVERSATION)


def test_another_template_for_conversations_with_tools_is_taken_for_those():
    template = ChatTemplate({"default": "plain", "tool_use": "{{ tools | length }} tools"}, {})
    assert [template.render(CONVERSATION).text, template.render(CONVERSATION, [{}]).text] == ["plain", "1 tools"]


def test_keys_keep_their_order_and_arguments_are_objects():
    call = {"id": "1", "function": {"name": "f", "arguments": '{"z": 1, "a": {"y": 2, "b": 3}}'}}
    (read,) = for_template({"role": "assistant", "content": "", "tool_calls": [call]})["tool_calls"]
    assert str(read["function"]["arguments"]) == "{'z': 1, 'a': {'y': 2, 'b': 3}}"


@pytest.mark.parametrize("arguments", ["[1]", "no", 3])
def test_arguments_that_are_no_object_are_refused(arguments):
    with pytest.raises(UserError, match="TS-DATA-025"):
        for_template({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]})


def test_what_says_what_to_learn_is_no_part_of_the_conversation():
    assert for_template({"role": "assistant", "content": "a", "weight": 0, "name": None}) == {"role": "assistant", "content": "a"}


MARKED = CHAT_TEMPLATE.replace(
    "{{ message['content'] }}<|im_end|>",
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}{% else %}"
    "{{ message['content'] }}<|im_end|>{% endif %}",
)


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, MARKED], ids=["plain", "marked"])
def test_a_turn_of_weight_nothing_is_read_and_not_learnt(template):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    chat = ChatTokenizer(tokenizer)
    turns = [message("user", "Hi"), message("assistant", "Bad.") | {"weight": 0}, message("user", "And?"), message("assistant", "Good.")]
    sequence = chat.encode(turns)
    assert chat.tokenizer.decode([t for t, label in zip(sequence.tokens, sequence.labels, strict=True) if label]) == "Good.<|im_end|>"
    assert "Bad." in chat.tokenizer.decode(sequence.tokens)
