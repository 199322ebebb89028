"""Answers don't depend on what else is in the batch: each equals what transformers generates alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

PROMPTS = ["The quick", "naïve café 你好", "0123 + 4", "What is the capital of France? " * 6, "x", "user assistant " * 20]


def alone(reference: Any, tokenizer: Any, shown: Any, prompt: str, tokens: int) -> str:
    """Greedy continuation by `generate`, one prompt at a time."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    out = reference.generate(ids, attention_mask=ids.new_ones(ids.shape), max_new_tokens=tokens, do_sample=False)
    return shown(out[0, ids.shape[1] :])


def continued(client: Any, prompt: str, tokens: int = 24, **options: Any) -> str:
    answer = client.completions.create(model="tiny", prompt=prompt, max_tokens=tokens, temperature=0, **options)
    return answer.choices[0].text


@pytest.fixture(scope="session")
def expected(reference: Any, tokenizer: Any, shown: Any) -> dict[str, str]:
    return {prompt: alone(reference, tokenizer, shown, prompt, 24) for prompt in PROMPTS}


def test_greedy_answers_of_a_batch_are_those_of_generate_one_by_one(client: Any, expected: dict[str, str]) -> None:
    with ThreadPoolExecutor(len(PROMPTS)) as pool:
        assert list(pool.map(lambda prompt: continued(client, prompt), PROMPTS)) == list(expected.values())


def test_one_request_with_many_prompts_answers_each_in_order(client: Any, expected: dict[str, str]) -> None:
    answer = client.completions.create(model="tiny", prompt=PROMPTS, max_tokens=24, temperature=0, n=2)
    assert [choice.text for choice in answer.choices] == [text for text in expected.values() for _ in range(2)]
    assert [choice.index for choice in answer.choices] == list(range(2 * len(PROMPTS)))


def test_answers_that_join_in_the_middle_of_another_change_neither(client: Any, reference: Any, tokenizer: Any, shown: Any) -> None:
    """Two joins while a long answer is being generated, and two leaves before it ends."""
    long = alone(reference, tokenizer, shown, "The quick", 200)
    stream = client.completions.create(model="tiny", prompt="The quick", max_tokens=200, temperature=0, stream=True)
    texts, chunks = [], iter(stream)
    for prompt in PROMPTS[1:3]:
        for _ in range(5):
            texts.append(next(chunks).choices[0].text)
        assert continued(client, prompt) == alone(reference, tokenizer, shown, prompt, 24)
    texts += [chunk.choices[0].text for chunk in chunks]
    assert "".join(texts) == long


def test_32_requests_at_once_are_all_answered_right(client: Any, expected: dict[str, str], server: Any) -> None:
    barrier = threading.Barrier(32)

    def ask(index: int) -> tuple[str, str]:
        prompt = PROMPTS[index % len(PROMPTS)]
        barrier.wait()
        return prompt, continued(client, prompt)

    steps = server.metric("tunesmith_step_seconds_count")
    with ThreadPoolExecutor(32) as pool:
        for prompt, text in pool.map(ask, range(32)):
            assert text == expected[prompt]
    assert server.metric("tunesmith_step_seconds_count") - steps < 32 * 24 / 2  # they really shared steps


@pytest.mark.parametrize("settings", [{"chunked_prefill_size": 7}, {"max_num_seqs": 2}, {"max_num_seqs": 3, "chunked_prefill_size": 1}])
def test_reading_prompts_in_parts_and_queueing_change_no_answer(
    serve: Any, tiny: Path, expected: dict[str, str], settings: dict[str, int]
) -> None:
    with serve(tiny, **settings) as server, ThreadPoolExecutor(len(PROMPTS)) as pool:
        client = server.client()
        assert list(pool.map(lambda prompt: continued(client, prompt), PROMPTS)) == list(expected.values())


def test_a_full_cache_interrupts_answers_and_changes_none(serve: Any, tiny: Path, reference: Any, tokenizer: Any, shown: Any) -> None:
    """The cache holds 600 tokens of 512 bytes; four answers of 200 tokens have to take turns."""
    want = {prompt: alone(reference, tokenizer, shown, prompt, 200) for prompt in PROMPTS[:4]}
    with serve(tiny, kv_cache_gib=600 * 512 / 2**30) as server, ThreadPoolExecutor(4) as pool:
        client = server.client()
        got = dict(zip(want, pool.map(lambda prompt: continued(client, prompt, 200), want), strict=True))
        assert server.metric("tunesmith_preemptions_total") > 0
    assert got == want
