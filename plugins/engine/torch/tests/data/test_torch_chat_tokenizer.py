"""Conversations become the tokens that the model meets, labelled where the assistant speaks."""

from __future__ import annotations

import pytest

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import CHAT_TEMPLATE, tiny_tokenizer
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

TURNS = [
    message("system", "Be brief."), message("user", "Hello you"), message("assistant", " Hi, naïve café 你好"), message("user", "And?"),
    message("assistant", "\nNothing.\n"),
]  # fmt: skip
MARKED = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['role'] == 'assistant' %}{% generation %}"
    "{{ message['content'] }}<|im_end|>{% endgeneration %}{% else %}{{ message['content'] }}<|im_end|>{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def chat_with(template: str) -> ChatTokenizer:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    return ChatTokenizer(tokenizer)


def labelled(chat: ChatTokenizer, sequence) -> list[str]:
    """The labelled stretches as text."""
    runs, open_run = [], False
    for token, label in zip(sequence.tokens, sequence.labels, strict=True):
        if label and not open_run:
            runs.append([])
        if label:
            runs[-1].append(token)
        open_run = label
    return [chat.tokenizer.decode(run) for run in runs]


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, MARKED], ids=["plain", "marked"])
def test_labels_are_the_answers_with_their_end_of_turn(template):
    chat = chat_with(template)
    assert labelled(chat, chat.encode(TURNS)) == [" Hi, naïve café 你好<|im_end|>", "\nNothing.\n<|im_end|>"]


def test_tokens_are_those_of_the_whole_conversation():
    chat = chat_with(CHAT_TEMPLATE)
    plain = [{"role": m["role"], "content": m["content"][0]["text"]} for m in TURNS]
    assert list(chat.encode(TURNS).tokens) == chat.tokenizer.apply_chat_template(plain, return_dict=False)


def test_marks_and_prefixes_agree_with_each_other_and_with_transformers():
    marked, plain = chat_with(MARKED), chat_with(CHAT_TEMPLATE)
    conversation = [{"role": m["role"], "content": m["content"][0]["text"]} for m in TURNS]
    theirs = marked.tokenizer.apply_chat_template(conversation, return_dict=True, return_assistant_tokens_mask=True)
    assert marked.encode(TURNS) == plain.encode(TURNS)
    assert [int(label) for label in plain.encode(TURNS).labels] == theirs["assistant_masks"]


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, MARKED], ids=["plain", "marked"])
def test_only_turns_since_a_message_are_labelled(template):
    chat = chat_with(template)
    assert labelled(chat, chat.encode(TURNS, since=3)) == ["\nNothing.\n<|im_end|>"]


def test_several_text_parts_are_one_content():
    chat = chat_with(CHAT_TEMPLATE)
    parts = [{"type": "text", "text": "Hello "}, {"type": "text", "text": "you"}]
    assert chat.encode([message("user", parts), TURNS[2]]) == chat.encode([message("user", "Hello you"), TURNS[2]])


def test_a_picture_is_refused():
    with pytest.raises(UserError, match=r"TS-DATA-032.*image"):
        chat_with(CHAT_TEMPLATE).encode([message("user", [{"type": "image", "path": "cat.png"}])])


def test_a_tokenizer_without_a_template_encodes_texts_alone():
    chat = chat_with("")
    with pytest.raises(UserError, match="TS-DATA-030"):
        chat.encode(TURNS)
    assert list(chat.encode_text("naïve").tokens) == chat.tokenizer("naïve")["input_ids"]


def test_a_text_is_as_the_tokenizer_writes_it_with_labels_after_its_first_token():
    chat = chat_with(CHAT_TEMPLATE)
    wanted = chat.tokenizer("A naïve café 你好")["input_ids"]
    plain, ended = chat.encode_text("A naïve café 你好"), chat.encode_text("A naïve café 你好", ended=True)
    assert list(plain.tokens) == wanted
    assert list(ended.tokens) == [*wanted, chat.tokenizer.eos_token_id]
    assert list(ended.labels) == [False] + [True] * len(wanted)


def test_a_text_that_is_to_end_needs_an_end_token():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="TS-TRAIN-100"):
        ChatTokenizer(tokenizer).encode_text("Hi", ended=True)


def test_places_are_where_the_beginnings_of_a_text_end():
    chat = chat_with(CHAT_TEMPLATE)
    text, ends = "Goethe 你 café", (6, 8, 13)
    sequence = chat.encode_text(text, ended=True, ends=ends)
    assert [chat.tokenizer.decode(sequence.tokens[: place + 1]) for place in sequence.places] == ["Goethe", "Goethe 你", text]
    with pytest.raises(UserError, match="TS-DATA-077"):
        chat.encode_text(text, ends=(6, 6))


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, CHAT_TEMPLATE.replace("message['content']", "message['content'] | trim")])
def test_places_in_an_answer_are_found_in_the_conversation_also_where_a_template_trims_it(template):
    chat = chat_with(template)
    answer = " One.\nTwo 你.\n"
    sequence = chat.encode([message("user", "One.\nTwo 你."), message("assistant", answer)], ends=(5, 12))
    (start, *_, _) = [at for at, label in enumerate(sequence.labels) if label]
    said = [chat.tokenizer.decode(sequence.tokens[start : place + 1]).strip() for place in sequence.places]
    assert said == ["One.", "One.\nTwo 你."]


def test_a_template_that_changes_an_answer_has_no_places_in_it():
    loud = CHAT_TEMPLATE.replace("message['content']", "message['content'].replace('.', '!')")
    with pytest.raises(UserError, match="TS-DATA-078"):
        chat_with(loud).encode([message("user", "Hi"), message("assistant", "One. Two.")], ends=(4,))


def test_an_answer_that_the_template_leaves_out_is_refused_rather_than_mislabelled():
    forgetful = CHAT_TEMPLATE.replace(
        "{{ message['content'] }}",
        "{% if message['role'] == 'assistant' and not loop.last %}(said){% else %}{{ message['content'] }}{% endif %}",
    )
    chat = chat_with(forgetful)
    assert labelled(chat, chat.encode(TURNS[1:3])) == [" Hi, naïve café 你好<|im_end|>"]
    with pytest.raises(UserError, match=r"TS-DATA-039.*message 3"):
        chat.encode(TURNS)


def test_a_template_that_refuses_the_roles_says_so():
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT_TEMPLATE
    with pytest.raises(UserError, match=r"TS-DATA-036.*no system role"):
        chat_with(strict).encode(TURNS)


def test_a_truncation_left_in_the_tokenizer_cuts_nothing():
    tokenizer = tiny_tokenizer()
    whole = len(ChatTokenizer(tokenizer).encode(TURNS).tokens)
    tokenizer.backend_tokenizer.enable_truncation(8)
    assert len(ChatTokenizer(tokenizer).encode(TURNS).tokens) == whole


@pytest.mark.parametrize("text", [" Hi, naïve café 你好 🙂", "🙂🙂", "你", "a", "\n\n x  ", "🙂 <|im_end|> 🙂"])
def test_labels_begin_and_end_between_letters_whatever_their_bytes(text):
    chat = chat_with(CHAT_TEMPLATE)
    turns = [message("user", text), message("assistant", text), message("user", text), message("assistant", text)]
    sequence = chat.encode(turns)
    plain = [{"role": turn["role"], "content": text} for turn in turns]
    encoding = chat.tokenizer.backend_tokenizer.encode(chat.tokenizer.apply_chat_template(plain, tokenize=False), add_special_tokens=False)
    whole = chat.tokenizer.apply_chat_template(plain, tokenize=False)
    spans = []
    for at in (1, 3):
        start = len(chat.tokenizer.apply_chat_template(plain[:at], tokenize=False, add_generation_prompt=True))
        spans.append((start, whole.index("<|im_end|>", start + len(text)) + len("<|im_end|>")))
    assert list(sequence.labels) == [any(start <= begin < end for start, end in spans) for begin, _ in encoding.offsets]
