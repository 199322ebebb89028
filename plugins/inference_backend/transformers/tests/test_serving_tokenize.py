"""/tokenize and /detokenize answer with vLLM's fields, and agree with what the model is given."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def post(server: Any, route: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.root}/{route}", json=body)


def test_a_text_there_and_back(server: Any, tokenizer: Any) -> None:
    text = "naïve café 你好 🦊"
    found = post(server, "tokenize", model="tiny", prompt=text, return_token_strs=True).json()
    assert found["tokens"] == tokenizer(text).input_ids
    assert found["count"] == len(found["tokens"]) == len(found["token_strs"])
    assert found["max_model_len"] > 0
    assert post(server, "detokenize", model="tiny", tokens=found["tokens"]).json() == {"prompt": tokenizer.decode(found["tokens"])}
    assert post(server, "tokenize", prompt=text).json()["token_strs"] is None


def test_a_conversation_has_the_tokens_that_its_answer_counts(server: Any, client: Any) -> None:
    messages = [{"role": "user", "content": "hi"}]
    found = post(server, "tokenize", model="tiny", messages=messages).json()
    answer = client.chat.completions.create(model="tiny", messages=messages, max_tokens=1)
    assert found["count"] == answer.usage.prompt_tokens
    assert post(server, "tokenize", messages=messages, add_generation_prompt=False).json()["count"] < found["count"]


@pytest.mark.parametrize(
    ("route", "body"),
    [("tokenize", {}), ("tokenize", {"prompt": "x", "messages": [{"role": "user"}]}), ("detokenize", {"tokens": [10**9]}),
     ("detokenize", {"tokens": ["x"]}), ("tokenize", {"prompt": "x", "modle": "tiny"})],
)  # fmt: skip
def test_what_can_not_be_read_is_a_400(server: Any, route: str, body: dict[str, Any]) -> None:
    answer = post(server, route, **body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
