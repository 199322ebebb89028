"""Attention by blocks is attention: the same as PyTorch's, in value and gradient, for every shape."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith_torch.model.attention import cpu_attention
from tunesmith_torch.model.attention.cpu_attention import blocked_attention


def reference(query, key, value, scaling, window):
    length, keys = query.shape[1], key.shape[1]
    at, queries = torch.arange(keys), torch.arange(keys - length, keys)[:, None]
    seen = (queries >= at) & (queries - at < (window or keys))
    key, value = (t.repeat_interleave(query.shape[0] // t.shape[0], 0) for t in (key, value))
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, seen, scale=scaling)


def compare(keys, repeats, length, size, window, dtype, tolerance, before=0):
    generator = torch.Generator().manual_seed(length)
    shapes = [(keys * repeats, length), (keys, before + length), (keys, before + length), (keys * repeats, length)]
    made = [torch.randn(heads, tokens, size, generator=generator) for heads, tokens in shapes]
    *inputs, outward = (t.to(dtype) for t in made)
    results = []
    for function in (blocked_attention, reference):
        own = [t.clone().to(dtype if function is blocked_attention else torch.float32).requires_grad_() for t in inputs]
        output = function(*own, 0.3, window)
        output.backward(outward.to(output.dtype))
        results.append([output.detach().float(), *(t.grad.float() for t in own)])
    for ours, theirs in zip(*results, strict=True):
        assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 300), st.sampled_from([4, 16]), st.none() | st.integers(1, 310),
    st.just(0) | st.integers(0, 200),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_it_is_attention_for_every_shape_and_window(keys, repeats, length, size, window, before):
    compare(keys, repeats, length, size, window, torch.float32, 1e-5, before)


@pytest.mark.parametrize("length", [cpu_attention.KEPT, cpu_attention.KEPT + 1])
def test_what_is_computed_again_is_the_same(length):
    compare(2, 3, length, 32, None, torch.float32, 1e-5)


def test_in_bfloat16_it_is_as_close_as_its_numbers_are():
    compare(3, 3, 300, 64, None, torch.bfloat16, 0.03)
