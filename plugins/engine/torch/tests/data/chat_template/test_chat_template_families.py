"""Labels over the chat templates of 41 model families; TRL's marked variants of 31 and transformers are the oracles."""

from __future__ import annotations

import importlib.util
from itertools import product
from pathlib import Path

import pytest
from jinja2.exceptions import TemplateError

from tunesmith.contracts import UserError
from tunesmith_torch.data.chat_template.template import ChatTemplate

_SPEC = importlib.util.spec_from_file_location("families", Path(__file__).with_name("families.py"))
families = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(families)
CASES = families.CONVERSATIONS

#: What a template does not write, or refuses: nothing of that can be trained on, and it is said.
_NO_CALLS = {"cohere", "cohere2", "deepseek_r1_distill", "gemma", "gemma3", "idefics3", "lfm2", "llama3", "llava_next", "phi3", "phi3_5",
             "qwen2_5_vl", "smolvlm"}  # fmt: skip
REFUSED = {
    *((name, case) for name in _NO_CALLS for case in ("call", "call at the end")), ("gemma", "system"),
}  # fmt: skip


def learnt(chat, sequence) -> list[str]:
    """The labelled stretches as text."""
    runs, before = [], False
    for token, label in zip(sequence.tokens, sequence.labels, strict=True):
        runs += [[]] if label and not before else []
        if label:
            runs[-1].append(token)
        before = label
    return [chat.tokenizer.decode(run) for run in runs]


def plain(chat, messages) -> list[dict]:
    return [chat.plain(turn) for turn in messages]


@pytest.mark.parametrize("name", families.NAMES)
def test_texts_and_tokens_are_those_of_transformers(name):
    chat, theirs = families.chat_of(name), families.tokenizer(name)
    template = ChatTemplate.of(theirs)
    for messages, tools in CASES.values():
        given = plain(chat, messages)
        for prompt in (False, True):
            try:
                expected = theirs.apply_chat_template(given, tools=tools or None, tokenize=False, add_generation_prompt=prompt)
            except (TemplateError, TypeError) as refusal:
                if "concatenate str" not in str(refusal):  # arguments as an object are written as JSON for such templates
                    with pytest.raises(UserError, match="TS-DATA-036"):
                        template.render(given, tools, prompt=prompt)
                continue
            assert template.render(given, tools, prompt=prompt).text == expected


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", families.NAMES)
def test_every_answer_is_learnt_to_its_end_or_the_row_refused(name, case):
    chat, (messages, tools) = families.chat_of(name), CASES[case]
    if (name, case) in REFUSED:
        with pytest.raises(UserError, match=r"TS-DATA-03[69]"):
            chat.encode(messages, tools)
        return
    sequence = chat.encode(messages, tools)
    text = chat.template.render(plain(chat, messages), tools).text
    whole = chat.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert list(sequence.tokens)[: len(whole)] == whole
    assert len(sequence.tokens) <= len(whole) + 1, "at most the token that ends the last answer is added"
    answers = [turn for turn in messages if turn["role"] == "assistant"]
    runs = learnt(chat, sequence)
    assert len(runs) == len(answers)
    special = set(chat.tokenizer.added_tokens_encoder)
    for run, answer in zip(runs, answers, strict=True):
        for part in answer["content"]:
            assert part["text"].rpartition("</think>")[2].strip() in run
        for call in answer.get("tool_calls", ()):
            assert call["function"]["name"] in run
        assert any(run.endswith(token) for token in special), runs
        assert "Hi" not in run
        assert "Be brief." not in run


@pytest.mark.parametrize(("name", "case"), [pair for pair in product(families.MARKED, CASES) if pair not in REFUSED])
def test_labels_are_those_of_the_marked_variant(name, case):
    """What TRL marks, but for two differences that are meant.

    TRL's marks may enclose the words that ask for the answer, which a model never writes, and what a template writes after the end of a
    turn. Where the variant writes another text than the template (thoughts in every turn), only the answers are compared.
    """
    chat, (messages, tools) = families.chat_of(name), CASES[case]
    given = plain(chat, messages)
    asked = [at for at, turn in enumerate(messages) if turn["role"] == "assistant"]
    written = chat.answers.written(given, tools, asked)
    theirs = ChatTemplate.of(families.tokenizer(name, "_training")).render(given, tools)
    marks = joined(theirs.marks)
    if theirs.text != written.text:
        assert [theirs.text[slice(*mark)].split("</think>")[-1].strip() for mark in marks] == [
            written.text[slice(*span)].split("</think>")[-1].strip() for span in written.answers.values()
        ]
        return
    assert len(marks) == len(asked)
    for at, (start, stop), (first, last) in zip(asked, written.answers.values(), marks, strict=True):
        prompts = [chat.template.render(asking, tools, prompt=True).text for asking in (given[:at], given[: asked[0]])]
        before, after = written.text[min(first, start) : max(first, start)], written.text[min(stop, last) : max(stop, last)]
        assert any(before in prompt for prompt in prompts), (name, case, before)
        assert after.strip() == "" or after.strip() in chat.tokenizer.added_tokens_encoder, (name, case, after)


def joined(marks) -> list[tuple[int, int]]:
    found = []
    for start, stop in marks:
        if stop > start:
            found.append((found.pop()[0], stop) if found and found[-1][1] == start else (start, stop))
    return found
