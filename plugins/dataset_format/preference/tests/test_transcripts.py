"""Conversations that are one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import text_of
from tunesmith_preference.rows import Preference
from tunesmith_preference.transcript import read_transcript

WORDS = st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",)), min_size=1, max_size=9).map(str.strip).filter(bool)


def says(turns):
    return [(turn["role"], text_of(turn)) for turn in turns]


def test_two_transcripts_share_their_beginning():
    start = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Well?\n\nAssistant: "
    row = Preference().convert({"chosen": start + "Fine.\n\nThank you.", "rejected": start + "Go away"})
    assert says(row["messages"]) == [("user", "Hi"), ("assistant", "Hello"), ("user", "Well?")]
    assert (says(row["chosen"]), says(row["rejected"])) == ([("assistant", "Fine.\n\nThank you.")], [("assistant", "Go away")])


@pytest.mark.parametrize("answers", [(" Hello", " No"), ("{0} Hello", "{0} No")])
def test_a_prompt_may_be_a_transcript(answers):
    prompt = "\n\nHuman: Hi\n\nAssistant:"
    row = Preference().convert({"prompt": prompt, **{k: a.format(prompt) for k, a in zip(("chosen", "rejected"), answers, strict=True)}})
    assert (says(row["messages"]), says(row["chosen"])[0][1].strip()) == ([("user", "Hi")], "Hello")


def test_an_answer_that_quotes_a_transcript_is_an_answer():
    quoted = "Human: Hi\n\nAssistant: Hello"
    row = Preference().convert({"prompt": "Write a talk", "chosen": quoted, "rejected": "No"})
    assert says(row["chosen"]) == [("assistant", quoted)]


@pytest.mark.parametrize("text", ["", "Hello", "Human: Hi", "Assistant: Hello", "A Human: Hi\n\nAssistant: Hello"])
def test_other_texts_are_none(text):
    assert read_transcript(text) == []


def test_texts_without_a_prompt_that_are_no_transcripts_are_refused():
    with pytest.raises(UserError, match="TS-DATA-024"):
        Preference().convert({"chosen": "The sky is blue.", "rejected": "The sky is green."})


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.booleans())
def test_what_was_written_is_read(exchanges, open_end):
    turns = [(role, text) for pair in exchanges for role, text in zip(("user", "assistant"), pair, strict=True)]
    text = "".join(f"\n\n{'Human' if role == 'user' else 'Assistant'}: {said}" for role, said in turns)
    read = read_transcript(text + ("\n\nHuman: Why?\n\nAssistant:" if open_end else ""))
    assert [(turn["role"], turn["content"]) for turn in read] == turns + [("user", "Why?")] * open_end
