"""Behaviours of templates that no package ships, written here: Mistral moves the system message, SmolLM3 writes one of its own."""

from __future__ import annotations

import pytest

from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

#: As Mistral's: no words ask for an answer but the end of the question, and the system message stands in the last question.
LIKE_MISTRAL = (
    "{{ bos_token }}{% set system = messages[0].content if messages[0].role == 'system' else '' %}"
    "{% set turns = messages[1:] if system else messages %}{% set last = namespace(user=-1) %}"
    "{% for m in turns %}{% if m.role == 'user' %}{% set last.user = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in turns %}{% if m.role == 'user' %}[INST] "
    "{{ system ~ '\n\n' if system and loop.index0 == last.user else '' }}{{ m.content }}[/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)

#: As SmolLM3's: a system block with a mode is always there, a flag in the system message switches the mode and is taken out of it.
LIKE_SMOLLM3 = (
    "{% set system = messages[0].content if messages[0].role == 'system' else '' %}{% set thinks = '/no_think' not in system %}"
    "{% set opening = '' if thinks else '<think>\n\n</think>\n' %}"
    "<|im_start|>system\n## Metadata\nReasoning Mode: {{ '/think' if thinks else '/no_think' }}\n"
    "{{ system.replace('/no_think', '').rstrip() }}<|im_end|>\n"
    "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user\n{{ m.content }}<|im_end|>\n"
    "{% elif m.role == 'assistant' %}<|im_start|>assistant\n{{ opening }}{{ m.content.lstrip('\n') }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{{ opening }}{% endif %}"
)
SYSTEM, HUSH = message("system", "Be brief."), message("system", "Be brief. /no_think")
TURNS = [message("user", "Hi"), message("assistant", "Hello"), message("user", "And?"), message("assistant", "Nothing.")]


def learnt(template: str, messages) -> list[str]:
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["[INST]", "[/INST]", "</s>"], special_tokens=True)
    tokenizer.eos_token = "</s>" if template is LIKE_MISTRAL else "<|im_end|>"
    tokenizer.chat_template = template
    sequence = ChatTokenizer(tokenizer).encode(messages)
    runs, before = [], False
    for token, label in zip(sequence.tokens, sequence.labels, strict=True):
        runs += [[]] if label and not before else []
        if label:
            runs[-1].append(token)
        before = label
    return [tokenizer.decode(run) for run in runs]


@pytest.mark.parametrize("messages", [TURNS, [SYSTEM, *TURNS]], ids=["no system", "system"])
def test_a_system_message_that_moves_leaves_the_answers_where_they_are(messages):
    assert learnt(LIKE_MISTRAL, messages) == [" Hello</s>", " Nothing.</s>"]


@pytest.mark.parametrize("messages", [TURNS, [SYSTEM, *TURNS], [HUSH, *TURNS]], ids=["no system", "system", "no thoughts"])
def test_words_that_keep_from_thinking_are_asked_with_and_not_learnt(messages):
    assert learnt(LIKE_SMOLLM3, messages) == ["Hello<|im_end|>", "Nothing.<|im_end|>"]


def test_a_greeting_before_the_first_question_is_learnt_too():
    assert learnt(LIKE_SMOLLM3, [message("assistant", "Welcome!"), *TURNS]) == [
        "Welcome!<|im_end|>",
        "Hello<|im_end|>",
        "Nothing.<|im_end|>",
    ]
