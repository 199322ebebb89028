"""Which dataset format a file has is decided from its rows' schemas alone, so no row may fit two equally well."""

from importlib import import_module

import pytest

from tunesmith.contracts.settings import problems

SCHEMAS = {
    name: import_module(f"tunesmith_{name.replace('-', '_')}.rows").ROW
    for name in ("alpaca", "sharegpt", "messages", "prompt-completion", "preference")
} | {
    name: getattr(import_module("tunesmith_multimodal.row_schema"), name.upper())
    for name in ("vqa", "captioning", "ocr", "grounding", "transcription")
}
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
])  # fmt: skip
def test_each_row_fits_one_format_best(row, format):
    fitting = [name for name, schema in SCHEMAS.items() if not list(problems(schema, row))]
    most = max(len(SCHEMAS[name]["required"]) for name in fitting)
    assert [name for name in fitting if len(SCHEMAS[name]["required"]) == most] == [format]
