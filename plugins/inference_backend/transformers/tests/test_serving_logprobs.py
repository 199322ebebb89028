"""Log-probabilities are those of a direct forward pass."""

from __future__ import annotations

import math
from typing import Any

import pytest

TOLERANCE = 1e-4


def direct(reference: Any, ids: list[int]) -> Any:
    """Log-probabilities ``[tokens, vocabulary]`` of what follows each token."""
    import torch

    with torch.inference_mode():
        return reference(torch.tensor([ids])).logits[0].log_softmax(-1)


def test_completion_logprobs_equal_a_direct_forward(client: Any, reference: Any, tokenizer: Any) -> None:
    prompt = tokenizer("The quick brown").input_ids
    answer = client.completions.create(model="tiny", prompt=prompt, max_tokens=12, temperature=0, logprobs=3)
    found = answer.choices[0].logprobs
    ids = list(prompt)
    for token, logprob, top, offset in zip(found.tokens, found.token_logprobs, found.top_logprobs, found.text_offset, strict=True):
        truth = direct(reference, ids)[-1]
        best = truth.topk(3)
        assert logprob == pytest.approx(best.values[0].item(), abs=TOLERANCE)
        assert sorted(top.values(), reverse=True) == pytest.approx(best.values.tolist(), abs=TOLERANCE)
        assert token in top
        if not token.startswith("bytes:"):
            assert answer.choices[0].text[offset : offset + len(token)] == token
        ids.append(best.indices[0].item())
    assert "".join(t for t in found.tokens if not t.startswith("bytes:"))


def test_chat_logprobs_carry_each_tokens_bytes(client: Any) -> None:
    answer = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "hi"}], max_tokens=40, temperature=0, logprobs=True, top_logprobs=2
    )
    content = answer.choices[0].logprobs.content
    assert b"".join(bytes(item.bytes) for item in content).decode(errors="replace") == answer.choices[0].message.content
    assert len(content) == answer.usage.completion_tokens == 40
    for item in content:
        assert item.logprob == max(top.logprob for top in item.top_logprobs)


@pytest.mark.parametrize("max_tokens", [0, 3])
@pytest.mark.parametrize("alternatives", [0, 2])
def test_echo_scores_the_prompt(client: Any, reference: Any, tokenizer: Any, max_tokens: int, alternatives: int) -> None:
    text = "What is the capital of France? Paris. naïve 🙂"
    ids = tokenizer(text).input_ids
    answer = client.completions.create(model="tiny", prompt=text, max_tokens=max_tokens, echo=True, logprobs=alternatives, temperature=0)
    found = answer.choices[0].logprobs
    truth = [row[token].item() for row, token in zip(direct(reference, ids), ids[1:], strict=False)]
    assert found.token_logprobs[0] is None
    assert found.token_logprobs[1 : len(ids)] == pytest.approx(truth, abs=TOLERANCE)
    assert len(found.tokens) == len(ids) + max_tokens
    assert answer.choices[0].text.startswith(text)
    assert answer.usage.completion_tokens == max_tokens
    assert found.text_offset == sorted(found.text_offset)
    for token, offset in zip(found.tokens, found.text_offset, strict=True):
        if not token.startswith("bytes:"):
            assert answer.choices[0].text[offset : offset + len(token)] == token


def test_prompts_scored_in_many_parts_and_in_one_agree(serve: Any, tiny: Any, client: Any) -> None:
    prompts = ["The quick brown fox jumps over the lazy dog. " * 3, "naïve café 你好"]
    ask = {"model": "tiny", "prompt": prompts, "max_tokens": 0, "echo": True, "logprobs": 1}
    with serve(tiny, chunked_prefill_size=5) as parts:
        got = parts.client().completions.create(**ask)
    want = client.completions.create(**ask)
    for one, other in zip(got.choices, want.choices, strict=True):
        assert one.logprobs.token_logprobs[1:] == pytest.approx(other.logprobs.token_logprobs[1:], abs=TOLERANCE)
        assert one.logprobs.tokens == other.logprobs.tokens


def test_perplexity_by_echo_is_the_models_perplexity(client: Any, reference: Any, tokenizer: Any) -> None:
    import torch

    text = "A plugin is static first: its manifest says everything."
    ids = torch.tensor([tokenizer(text).input_ids])
    with torch.inference_mode():
        want = math.exp(reference(ids, labels=ids).loss.item())
    answer = client.completions.create(model="tiny", prompt=text, max_tokens=0, echo=True, logprobs=0)
    scored = answer.choices[0].logprobs.token_logprobs[1:]
    assert math.exp(-sum(scored) / len(scored)) == pytest.approx(want, rel=1e-4)


def test_a_stream_with_echo_gives_the_same_logprobs(client: Any) -> None:
    ask = {"model": "tiny", "prompt": "The quick", "max_tokens": 10, "temperature": 0, "echo": True, "logprobs": 2}
    want = client.completions.create(**ask).choices[0]
    chunks = [chunk.choices[0] for chunk in client.completions.create(**ask, stream=True)]
    assert "".join(chunk.text for chunk in chunks) == want.text
    assert [p for chunk in chunks for p in chunk.logprobs.token_logprobs] == want.logprobs.token_logprobs
    assert [p for chunk in chunks for p in chunk.logprobs.text_offset] == want.logprobs.text_offset


def test_tokens_cut_off_by_a_stop_string_leave_the_logprobs_too(client: Any) -> None:
    ask = {"model": "tiny", "prompt": "The quick", "max_tokens": 40, "temperature": 0, "logprobs": 0}
    full = client.completions.create(**ask).choices[0]
    stop = full.text[12:15]
    cut = client.completions.create(**ask, stop=stop).choices[0]
    assert cut.text == full.text[: full.text.index(stop)]
    assert cut.logprobs.tokens == [t for t, o in zip(full.logprobs.tokens, full.logprobs.text_offset, strict=True) if o < len(cut.text)]
