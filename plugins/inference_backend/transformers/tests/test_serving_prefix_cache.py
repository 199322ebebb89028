"""Beginnings that prompts share are read once, and no answer is changed by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

SYSTEM = "You answer in one word, and you never guess. " * 4
QUESTIONS = ["The quick", "naïve café 你好", "0123 + 4", "x", "user assistant", "What is the capital of France?"]


def alone(reference: Any, tokenizer: Any, shown: Any, prompt: str, tokens: int = 16) -> str:
    """Greedy continuation by `generate`, one prompt at a time."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    out = reference.generate(ids, attention_mask=ids.new_ones(ids.shape), max_new_tokens=tokens, do_sample=False)
    return shown(out[0, ids.shape[1] :])


def continued(client: Any, prompt: str, **options: Any) -> Any:
    return client.completions.create(**{"model": "tiny", "prompt": prompt, "max_tokens": 16, "temperature": 0, **options})


@pytest.fixture(scope="module")
def expected(reference: Any, tokenizer: Any, shown: Any) -> dict[str, str]:
    return {SYSTEM + question: alone(reference, tokenizer, shown, SYSTEM + question) for question in QUESTIONS}


@pytest.mark.parametrize(
    "settings",
    [{}, {"max_num_seqs": 1}, {"max_num_seqs": 2, "chunked_prefill_size": 7}, {"kv_cache_gib": 700 * 512 / 2**30, "max_model_len": 512}],
    ids=["as it is", "one at a time", "prompts in parts", "hardly any room"],
)
def test_answers_after_a_common_beginning_are_those_of_generate(
    serve: Any, tiny: Path, expected: dict[str, str], settings: dict[str, Any]
) -> None:
    with serve(tiny, **settings) as server, ThreadPoolExecutor(len(expected)) as pool:
        for _ in range(2):  # the second time all of it was read before
            answers = pool.map(lambda prompt: continued(server.client(), prompt).choices[0].text, expected)
            assert dict(zip(expected, answers, strict=True)) == expected
        assert server.metric("tunesmith_prefix_cache_hits_total") > 0


def test_what_was_read_is_not_read_again_and_the_usage_says_so(serve: Any, tiny: Path, tokenizer: Any, expected: dict[str, str]) -> None:
    prompt = SYSTEM + QUESTIONS[0]
    size, system = (len(tokenizer(text).input_ids) for text in (prompt, SYSTEM))
    with serve(tiny) as server:
        client = server.client()
        first, again, other = (continued(client, text) for text in (prompt, prompt, SYSTEM + QUESTIONS[1]))
        assert [a.usage.prompt_tokens_details.cached_tokens for a in (first, again)] == [0, size - 1]
        assert abs(other.usage.prompt_tokens_details.cached_tokens - system) <= 2  # tokens at the seam differ
        goes_on = continued(client, prompt + first.choices[0].text + " and?")
        assert goes_on.usage.prompt_tokens_details.cached_tokens >= size
        found = sum(a.usage.prompt_tokens_details.cached_tokens for a in (again, other, goes_on))
        assert server.metric("tunesmith_prefix_cache_hits_total") == found
        asked = sum(a.usage.prompt_tokens for a in (first, again, other, goes_on))
        assert server.metric("tunesmith_prefix_cache_queries_total") == asked
        assert server.metric("tunesmith_prompt_tokens_total") == asked - found


def test_several_answers_to_a_prompt_read_it_once(serve: Any, tiny: Path) -> None:
    with serve(tiny) as server:
        answer = continued(server.client(), SYSTEM, n=4, temperature=1.0, seed=3)
        assert len({choice.text for choice in answer.choices}) == 4
        assert server.metric("tunesmith_prompt_tokens_total") == answer.usage.prompt_tokens + 3
        assert answer.usage.prompt_tokens_details.cached_tokens == 0


def test_a_prompt_is_scored_to_its_first_token_though_it_was_read_before(serve: Any, tiny: Path) -> None:
    with serve(tiny) as server:
        client = server.client()
        scores = [continued(client, SYSTEM, echo=True, logprobs=1, max_tokens=1).choices[0].logprobs.token_logprobs for _ in range(2)]
        assert scores[0][1:] == pytest.approx(scores[1][1:], abs=1e-5)


def test_it_can_be_switched_off(serve: Any, tiny: Path, expected: dict[str, str]) -> None:
    with serve(tiny, enable_prefix_caching=False) as server:
        for prompt, text in expected.items():
            answer = continued(server.client(), prompt)
            assert answer.choices[0].text == text
            assert answer.usage.prompt_tokens_details.cached_tokens == 0
        assert server.metric("tunesmith_prefix_cache_queries_total") == 0


def test_nothing_is_reused_of_an_answer_that_failed(serve: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith_transformers.model.forward_pass import Forward

    real, poisoned = Forward.__call__, [True]

    def forward(self: Any, chunks: Any, *rest: Any) -> Any:
        logits = real(self, chunks, *rest)
        return logits * float("nan") if poisoned[0] and chunks[0].start == 0 and len(chunks[0].tokens) > 20 else logits

    with serve(tiny) as server:
        monkeypatch.setattr(Forward, "__call__", forward)
        with pytest.raises(Exception, match="not finite"):
            continued(server.client(), SYSTEM)
        poisoned[0] = False
        assert continued(server.client(), SYSTEM).usage.prompt_tokens_details.cached_tokens == 0
