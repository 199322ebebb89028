"""Temperature, top_p, top_k, seeds, penalties, bias: through the API, and the sampler's distribution against its definition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def said(client: Any, prompt: str = "The quick", **options: Any) -> str:
    answer = client.completions.create(model="tiny", prompt=prompt, **{"max_tokens": 24, "temperature": 1.0, **options})
    return answer.choices[0].text


def test_a_seed_gives_the_same_answer_whatever_else_is_running(client: Any) -> None:
    alone = said(client, seed=11)
    with ThreadPoolExecutor(12) as pool:
        crowd = [pool.submit(said, client, f"other {i} " * i, seed=i, top_p=0.9 if i % 2 else 1.0, max_tokens=40) for i in range(1, 9)]
        again = [pool.submit(said, client, seed=11) for _ in range(4)]
        assert [future.result() for future in again] == [alone] * 4
        assert len({future.result() for future in crowd}) == 8
    assert said(client, seed=12) != alone


def test_without_a_seed_answers_differ(client: Any) -> None:
    assert len({said(client, temperature=1.5) for _ in range(4)}) == 4


def test_top_k_of_one_and_a_tiny_top_p_are_greedy(client: Any) -> None:
    greedy = said(client, temperature=0)
    assert said(client, temperature=1.7, extra_body={"top_k": 1}) == greedy
    assert said(client, temperature=1.7, top_p=1e-6) == greedy
    assert said(client, temperature=0, top_p=0.5, seed=3) == greedy


@pytest.mark.parametrize(("presence", "frequency"), [(2.0, 0.0), (0.0, 1.5), (-1.0, 0.5)])
def test_penalties_are_taken_off_the_logits_of_tokens_said_before(
    client: Any, reference: Any, tokenizer: Any, shown: Any, presence: float, frequency: float
) -> None:
    import torch

    ids = tokenizer("The quick").input_ids
    start, counts = len(ids), torch.zeros(len(tokenizer))
    for _ in range(24):
        with torch.inference_mode():
            logits = reference(torch.tensor([ids])).logits[0, -1]
        ids.append(int((logits - frequency * counts - presence * (counts > 0)).argmax()))
        counts[ids[-1]] += 1
    got = said(client, temperature=0, presence_penalty=presence, frequency_penalty=frequency, extra_body={"ignore_eos": True})
    assert got == shown(ids[start:])
    assert got != said(client, temperature=0)


def test_logit_bias_forbids_and_forces_tokens(client: Any, tokenizer: Any) -> None:
    wanted = tokenizer("f").input_ids[0]
    assert said(client, temperature=0, logit_bias={str(wanted): 100}, max_tokens=5) == "fffff"
    first = client.completions.create(model="tiny", prompt="x", max_tokens=1, temperature=0, logprobs=2).choices[0].logprobs
    best, second = sorted(first.top_logprobs[0], key=first.top_logprobs[0].get, reverse=True)
    if not best.startswith("bytes:"):
        banned = tokenizer(best, add_special_tokens=False).input_ids
        assert len(banned) == 1
        after = client.completions.create(
            model="tiny", prompt="x", max_tokens=1, temperature=0, logprobs=0, logit_bias={str(banned[0]): -100}
        )
        assert after.choices[0].logprobs.tokens == [second]


def test_the_end_token_ends_an_answer_unless_it_is_to_be_ignored(client: Any, tokenizer: Any) -> None:
    bias = {str(tokenizer.eos_token_id): 100}
    answer = client.completions.create(model="tiny", prompt="x", max_tokens=5, temperature=0, logit_bias=bias, logprobs=0)
    assert (answer.choices[0].text, answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("", "stop", 1)
    assert answer.choices[0].logprobs.tokens == []
    answer = client.completions.create(
        model="tiny", prompt="x", max_tokens=5, temperature=0, logit_bias=bias, extra_body={"ignore_eos": True}
    )
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 5)


@pytest.mark.parametrize(
    ("top_p", "top_k", "size"), [(1.0, 0, 40), (0.7, 0, 40), (1.0, 5, 40), (0.9, 7, 40), (0.95, 0, 2000), (1.0, 400, 2000)]
)
def test_draws_follow_the_distribution_that_the_settings_define(top_p: float, top_k: int, size: int) -> None:
    import torch

    from tunesmith_transformers.sampling.sampler import Draw, choose
    from tunesmith_transformers.sampling.sampling_params import Sampling

    torch.manual_seed(0)
    logits, rows, temperature = torch.randn(size) * (2 if size < 100 else 0.3), 20000, 0.8
    want = (logits / temperature).softmax(-1)
    order = want.argsort(descending=True)
    kept = order[(want[order].cumsum(0) - want[order]) < top_p][: top_k or size]
    mask = torch.zeros(size).index_fill_(0, kept, 1)
    want = want * mask / (want * mask).sum()
    draws = [Draw(Sampling(temperature=temperature, top_p=top_p, top_k=top_k, seed=i)) for i in range(rows)]
    drawn = []
    for first in range(0, rows, 500):
        drawn += choose(logits.expand(500, -1), draws[first : first + 500])
    counts = torch.bincount(torch.tensor(drawn), minlength=size) / rows
    assert (counts[mask == 0] == 0).all()
    assert (counts - want).abs().sum() / 2 < 0.5 * (len(kept) / rows) ** 0.5 + 0.005  # sampling error of the total variation


@settings(deadline=None, max_examples=60)
@given(
    seeds=st.lists(st.integers(0, 5), min_size=1, max_size=6), top_p=st.sampled_from([1.0, 0.9, 0.3]), top_k=st.sampled_from([0, 3]),
    temperature=st.sampled_from([0.0, 0.1, 1.0, 2.0]),
)  # fmt: skip
def test_a_row_is_drawn_the_same_alone_and_in_any_batch(seeds: list[int], top_p: float, top_k: int, temperature: float) -> None:
    import torch

    from tunesmith_transformers.sampling.sampler import Draw, choose
    from tunesmith_transformers.sampling.sampling_params import Sampling

    logits = torch.stack([torch.randn(600, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    wanted = [Sampling(temperature=(1.0, temperature)[i % 2], top_p=top_p, top_k=(0, top_k)[i % 2], seed=s) for i, s in enumerate(seeds)]
    together = choose(logits, [Draw(s) for s in wanted])
    assert together == [choose(logits[i : i + 1], [Draw(s)])[0] for i, s in enumerate(wanted)]
