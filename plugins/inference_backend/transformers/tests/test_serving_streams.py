"""Streams say what whole answers say; stop strings end both; no character is ever cut in half."""

from __future__ import annotations

from typing import Any

import pytest

MESSAGES = [{"role": "user", "content": "naïve café 🙂"}]


def whole(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="tiny", messages=MESSAGES, **{"max_tokens": 60, "temperature": 0, **options})


def streamed(client: Any, **options: Any) -> list[Any]:
    return list(whole(client, stream=True, **options))


def text_of(chunks: list[Any], index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


SETTINGS = [{}, {"temperature": 1.3, "seed": 5}, {"temperature": 1.5, "seed": 1, "top_p": 0.9, "extra_body": {"top_k": 40}}]


@pytest.mark.parametrize("options", SETTINGS)
def test_a_stream_and_a_whole_answer_say_the_same(client: Any, options: dict[str, Any]) -> None:
    answer, chunks = whole(client, **options), streamed(client, **options)
    assert text_of(chunks) == answer.choices[0].message.content
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert finishes[-1] == answer.choices[0].finish_reason
    assert set(finishes[:-1]) == {None}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1


def test_usage_comes_last_in_a_stream_that_asks_for_it(client: Any) -> None:
    chunks = streamed(client, stream_options={"include_usage": True}, n=2)
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 120
    assert chunks[-1].usage.prompt_tokens == whole(client).usage.prompt_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert all(chunk.usage is None for chunk in streamed(client))


def test_each_chunk_tells_the_usage_so_far_where_load_tests_ask_for_it(client: Any) -> None:
    chunks = streamed(client, stream_options={"include_usage": True, "continuous_usage_stats": True})
    counts = [chunk.usage.completion_tokens for chunk in chunks]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert chunks[0].usage.prompt_tokens == chunks[-1].usage.prompt_tokens > 0


def test_n_answers_of_one_stream_are_told_apart_by_their_index(client: Any) -> None:
    chunks = streamed(client, n=3, temperature=1.0, seed=3)
    separate = [whole(client, temperature=1.0, seed=3 + index).choices[0].message.content for index in range(3)]
    assert [text_of(chunks, index) for index in range(3)] == separate
    assert len(set(separate)) == 3


@pytest.mark.parametrize("as_list", [True, False])
def test_a_stop_string_that_spans_tokens_ends_the_answer_before_it(client: Any, as_list: bool) -> None:
    full = whole(client).choices[0].message.content
    stop = full[20:24]
    assert len(stop) == 4
    cut = full[: full.index(stop)]
    options = {"stop": [stop, "never said"] if as_list else stop}
    answer, chunks = whole(client, **options), streamed(client, **options)
    assert answer.choices[0].message.content == cut == text_of(chunks)
    assert answer.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "stop"


def test_text_that_only_begins_like_a_stop_string_is_not_lost(client: Any) -> None:
    full = whole(client).choices[0].message.content
    assert text_of(streamed(client, stop=full[-3:] + "and more that never comes")) == full


@pytest.mark.parametrize("seed", range(6))
def test_every_chunk_is_whole_characters_though_tokens_are_bytes(client: Any, seed: int) -> None:
    """At a high temperature the byte-level model says many fragments of characters; together they read as the decoder would."""
    options = {"temperature": 1.8, "seed": seed, "max_tokens": 80}
    chunks = streamed(client, **options)
    for chunk in chunks:
        for choice in chunk.choices:
            (choice.delta.content or "").encode()  # no lone surrogates
    assert text_of(chunks) == whole(client, **options).choices[0].message.content


def test_an_emoji_of_four_tokens_arrives_in_one_piece(client: Any, tokenizer: Any) -> None:
    """The bias leaves one token at each place, so the model says 🦊 byte by byte."""
    ids = tokenizer("🦊", add_special_tokens=False).input_ids
    assert len(ids) == 4
    chunks = list(
        client.completions.create(model="tiny", prompt="a", max_tokens=1, temperature=0, stream=True, logit_bias={str(ids[0]): 100})
    )
    assert "".join(chunk.choices[0].text for chunk in chunks) == ""  # cut off by max_tokens within the character
    assert chunks[-1].choices[0].finish_reason == "length"
    prompt = tokenizer("a").input_ids + ids[:3]
    done = client.completions.create(model="tiny", prompt=prompt, max_tokens=1, temperature=0, logit_bias={str(ids[3]): 100})
    assert done.choices[0].text == "🦊"
