"""Answers that keep to a JSON schema, by the official client's own calls."""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

import openai
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llguidance", reason="the extra `structured` brings it")

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Paris", "Rome"]},
        "size": {"type": "integer", "minimum": 0, "maximum": 99},
        "old": {"type": "boolean"},
    },
    "required": ["city", "size", "old"],
    "additionalProperties": False,
}


def ask(client: Any, format: Any, **options: Any) -> Any:
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "Where?"}], "max_tokens": 200, "temperature": 1.0, **options}
    return client.chat.completions.create(**asked, response_format=format)


def json_schema(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_is_a_document_of_the_schema(client: Any, seed: int) -> None:
    answer = ask(client, json_schema(SCHEMA), seed=seed, logprobs=True)
    said = json.loads(answer.choices[0].message.content)
    assert answer.choices[0].finish_reason == "stop"
    assert said["city"] in ("Paris", "Rome")
    assert 0 <= said["size"] <= 99
    assert isinstance(said["old"], bool)
    assert "".join(entry.token for entry in answer.choices[0].logprobs.content) == answer.choices[0].message.content


def test_a_stream_and_answers_beside_it_say_what_each_alone_would(client: Any) -> None:
    alone = ask(client, json_schema(SCHEMA), seed=5).choices[0].message.content
    free = ask(client, {"type": "text"}, seed=5, max_tokens=40).choices[0].message.content
    stream = ask(client, json_schema(SCHEMA), seed=5, stream=True)
    first = next(iter(stream))
    assert ask(client, {"type": "text"}, seed=5, max_tokens=40).choices[0].message.content == free
    assert (first.choices[0].delta.content or "") + "".join(chunk.choices[0].delta.content or "" for chunk in stream) == alone


def test_the_clients_parse_gives_an_object(client: Any) -> None:
    class Place(pydantic.BaseModel):
        city: Literal["Paris", "Rome"]
        old: bool

    messages = [{"role": "user", "content": "Where?"}]
    answer = client.chat.completions.parse(model="tiny", messages=messages, max_tokens=200, response_format=Place)
    assert isinstance(answer.choices[0].message.parsed, Place)


def test_json_object_is_any_object(client: Any) -> None:
    answers = [ask(client, {"type": "json_object"}, seed=seed, max_tokens=60) for seed in range(6)]
    assert all(answer.choices[0].message.content.startswith("{") for answer in answers)
    whole = [answer.choices[0].message.content for answer in answers if answer.choices[0].finish_reason == "stop"]
    assert all(isinstance(json.loads(text), dict) for text in whole)


def test_a_completion_keeps_to_a_schema_too(client: Any) -> None:
    extra = {"response_format": json_schema({"const": [1, 2]})}
    answer = client.completions.create(model="tiny", prompt="x", max_tokens=200, extra_body=extra)
    assert json.loads(answer.choices[0].text) == [1, 2]


@pytest.mark.parametrize(
    "schema", [{"type": "objekt"}, {"$ref": "http://example.com/schema"}, {"type": "string", "pattern": "("}, {"enum": []}, {"allOf": 3}]
)
def test_a_schema_that_makes_no_grammar_is_a_400(client: Any, schema: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="can't be kept to"):
        ask(client, json_schema(schema))


def test_without_llguidance_the_server_says_what_to_install(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(openai.BadRequestError, match=r"tunesmith-transformers\[structured\]"):
        ask(client, {"type": "json_object"})


LEAF = st.sampled_from(
    [{"type": "boolean"}, {"type": "integer", "minimum": -5, "maximum": 500}, {"enum": ["a", "é🦊", '\n"']}, {"type": "null"}]
)


def array(items: list[Any]) -> dict[str, Any]:
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}


@settings(deadline=None, max_examples=30)
@given(st.recursive(LEAF, lambda inner: st.lists(inner, min_size=1, max_size=3).map(array), max_leaves=5))
def test_any_document_that_a_grammar_allows_is_one(tokenizer: Any, schema: Any) -> None:
    """Whatever is drawn among the tokens that are not forbidden, token by token, ends in JSON of the schema."""
    import random

    from tunesmith_transformers.text.grammar import Grammars
    from tunesmith_transformers.text.vocabulary import Vocabulary

    vocabulary = Vocabulary(tokenizer)
    grammars = Grammars(vocabulary, [tokenizer.eos_token_id], len(vocabulary))
    matcher, draw, tokens = grammars.of(schema).matcher(), random.Random(3), []
    while not matcher.complete:
        allowed = (~matcher.forbidden(len(vocabulary) + 7)).nonzero()[:, 0].tolist()
        token = draw.choice(allowed)
        matcher.take(token)
        if token == tokenizer.eos_token_id:
            break
        tokens.append(token)
        assert len(tokens) < 2000
    _fits(schema, json.loads(vocabulary.decode(tokens)))


def _fits(schema: Any, value: Any) -> None:
    if "prefixItems" in schema:
        assert len(value) == len(schema["prefixItems"])
        for inner, item in zip(schema["prefixItems"], value, strict=True):
            _fits(inner, item)
    elif "enum" in schema:
        assert value in schema["enum"]
    else:
        assert isinstance(value, {"boolean": bool, "integer": int, "null": type(None)}[schema["type"]])
        assert schema["type"] != "integer" or -5 <= value <= 500
