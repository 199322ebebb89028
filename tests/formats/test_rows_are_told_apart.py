"""Which dataset format a file has is decided from its rows' schemas alone, so no row may fit two equally well."""

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_data.api import row_schema
from tunesmith_data.formats.resemblance import best, required

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(("row", "format"), [
    ({"instruction": "Say hi", "input": "", "output": "hi"}, "alpaca"),
    ({"instruction": "Say hi", "output": "hi", "system": None, "history": [["a", "b"]]}, "alpaca"),
    ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "id": "1"}, "sharegpt"),
    ({"messages": CHAT}, "messages"),
    ({"messages": CHAT, "tools": None, "source": "web"}, "messages"),
    ({"prompt": "Hi", "completion": "Hello"}, "prompt-completion"),
    ({"prompt": CHAT[:1], "completion": CHAT[1:]}, "prompt-completion"),
    ({"prompt": "Hi", "chosen": "Hello", "rejected": "No"}, "preference"),
    ({"chosen": CHAT, "rejected": CHAT}, "preference"),
    ({"prompt": "Hi", "chosen": CHAT, "rejected": CHAT, "messages": CHAT}, "preference"),
    ({"instruction": "Say hi", "input": "", "chosen": "Hello", "rejected": "No"}, "preference"),
    ({"image": "a.png", "question": "What?", "answer": "A cat"}, "vqa"),
    ({"image": "a.png", "question": "What?", "answers": ["A cat"], "text": None}, "vqa"),
    ({"image": "a.png", "caption": "A cat"}, "captioning"),
    ({"image": "a.png", "caption": "A cat", "question": "What?"}, "captioning"),
    ({"image": "a.png", "text": "No parking"}, "ocr"),
    ({"image": "a.png", "phrase": "the cat", "bbox": [1, 2, 3, 4]}, "grounding"),
    ({"image": "a.png", "phrase": "the cat", "bbox": [[1, 2, 3, 4]], "question": "Where?"}, "grounding"),
    ({"audio": "a.wav", "text": "Hello"}, "transcription"),
    ({"messages": CHAT, "image": "a.png", "text": "Hello"}, "messages"),
    ({"conversations": [{"from": "human", "value": "<image>Hi"}], "image": "a.png", "caption": "A cat"}, "sharegpt"),
    ({"prompt": "<image>What?", "completion": "A cat", "image": "a.png", "text": "Hello"}, "prompt-completion"),
    ({"instruction": "What?", "output": "A cat", "image": "a.png", "question": "", "answer": "A cat"}, "alpaca"),
    ({"prompt": "Hi", "completions": [{"response": "Hello", "overall_score": 4}, {"response": "No", "overall_score": 1}]},
     "scored-answers"),
    ({"instruction": "Hi", "responses": ["Hello", "No"], "scores": [4, 1], "source": "web"}, "scored-answers"),
    ({"prompt": "Hi", "answers": [{"answer": "Hello", "rank": 1}, {"answer": "No", "rank": 2}], "turns": 1}, "scored-answers"),
    ({"messages": CHAT, "rejected_response": "No"}, "rejected-response"),
    ({"input": {"messages": CHAT[:1]}, "preferred_output": CHAT[1:], "non_preferred_output": CHAT[1:]}, "preferred-output"),
    ({"prompt": "Hi", "completion": "Hello", "label": True}, "unpaired"),
    ({"prompt": CHAT[:1], "completion": CHAT[1:], "label": 1}, "unpaired"),
    ({"messages": CHAT, "label": False}, "unpaired"),
    ({"messages": CHAT, "label": "Undesirable"}, "unpaired"),
    ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "kto_tag": True}, "unpaired"),
    ({"instruction": "Hi", "input": "", "output": "Hello", "kto_tag": "true"}, "unpaired"),
    ({"messages": CHAT, "label": "greeting"}, "labelled"),
    ({"messages": CHAT[:1], "label": 7}, "labelled"),
    ({"text": "Hi", "label": 1}, "labelled"),
    ({"text": "Hi", "label": "greeting", "idx": 4}, "labelled"),
    ({"id": "0", "tokens": ["Hi", "Ann"], "ner_tags": [0, 1], "pos_tags": [2, 3]}, "labelled"),
    ({"prompt": "2 + 2?", "completions": ["It is 4."], "labels": [True]}, "stepwise"),
    ({"input": "2 + 2? Step 1: It is 4. ки", "label": "2 + 2? Step 1: It is 4. +", "task": "GSM8K"}, "math-shepherd"),
    ({"question": {"problem": "2 + 2?"}, "label": {"steps": [{"completions": [{"text": "4", "rating": 1}]}]}}, "prm800k"),
    ({"prompt": "Hi"}, "prompts"),
    ({"prompt": CHAT[:1], "answer": "42", "data_source": "math"}, "prompts"),
    ({"text": "A document.", "url": "example.org"}, "plain-text"),
    ({"messages": CHAT, "text": "User: Hi"}, "messages"),
    ({"question": "What?", "choices": ["a", "b"], "answer": 1, "subject": "botany"}, "multiple-choice"),
    ({"id": 3, "question": "What?", "A": "1", "B": "2", "C": "3", "D": "4", "answer": "B", "explanation": ""}, "multiple-choice"),
    ({"id": "Q1", "question": "What?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answer": "A"}, "multiple-choice"),
    ({"anchor": "Hi", "positive": "Hello"}, "embedding"),
    ({"query": "Hi", "pos": ["Hello"], "neg": ["No", "Never"]}, "embedding"),
    ({"anchor": "Hi", "positive": "Hello", "negative_1": "No", "negative_2": "Never"}, "embedding"),
])  # fmt: skip
def test_each_row_fits_one_format_best(row, format, formats, schemas):
    found = best(list(formats.values()), [row])
    assert (found and found.name) == format

    def rank(record):
        return len(required(record, row)), record.priority

    fitting = [record for record in formats.values() if schemas[record.name].fits(row)]
    most = max(map(rank, fitting))
    assert [record.name for record in fitting if rank(record) == most] == [format]


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return load_registry(load_config(home, home=home)).providers("dataset_format")


@pytest.fixture(scope="module")
def schemas(formats):
    return {name: row_schema(record) for name, record in formats.items()}
