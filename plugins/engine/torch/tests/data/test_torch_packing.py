"""What sequences have in common at their beginning goes through the model once, and nothing else changes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.data.packing import SHARED, size

FAMILIES = {"llama": {}, "qwen3": {}, "mistral": {"sliding_window": 5}, "gemma2": {"sliding_window": 5}}


def sequence(*parts: tuple[int, int], labelled: int = 3) -> TokenSequence:
    """Tokens made of (seed, length) parts; the last `labelled` have labels."""
    tokens = [t for seed, length in parts for t in torch.randint(3, 300, (length,), generator=torch.Generator().manual_seed(seed)).tolist()]
    return TokenSequence(tokens, [False] + [at >= len(tokens) - labelled for at in range(1, len(tokens))])


SYSTEM, PROMPT = (1, 20), (2, 30)
PAIR = [sequence(SYSTEM, PROMPT, (3, 9)), sequence(SYSTEM, PROMPT, (4, 13), labelled=13), sequence(SYSTEM, (5, 7)), sequence((6, 12))]


def test_a_common_beginning_is_in_the_row_once():
    packed, plain = pack(PAIR), pack(PAIR, share=False)
    assert len(plain.tokens) - len(packed.tokens) == 20 + 20 + 30
    assert [parent for _, _, parent in packed.pieces] == [-1, 0, 1, 1, 0, -1]
    assert packed.lengths == plain.lengths
    assert torch.equal(packed.targets, plain.targets)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_values_and_gradients_are_those_of_sequences_by_themselves(family, dtype, tmp_path):
    directory = tiny_model(tmp_path / "m", family=family, initializer_range=0.2, **FAMILIES[family])
    results = []
    for share in (True, False):
        model = load_model(directory, dtype=dtype).requires_grad_(True)
        batch = pack(PAIR, share=share)
        values = label_log_probs(model, batch)
        (values * torch.linspace(-1, 1, len(values))).sum().backward()
        results.append([values.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(results[0]) > 10
    tolerance = 1e-4 if dtype == "float32" else 0.1
    for shared, alone in zip(*results, strict=True):
        assert (shared - alone).abs().max() <= tolerance * alone.abs().max().clamp(min=1e-2)


@given(st.lists(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2 * SHARED)), min_size=1, max_size=4), min_size=1, max_size=6))
def test_every_row_holds_every_sequence_in_order_seen_by_nobody_else(parts):
    given_sequences = [sequence(*made, labelled=2) for made in parts]
    packed = pack(given_sequences)
    lines = []
    for number in range(len(packed.pieces)):
        line, at = [], number
        while at >= 0:
            start, end, at = packed.pieces[at]
            line = list(range(start, end)) + line
        assert packed.positions[line].tolist() == list(range(len(line)))
        lines.append(packed.tokens[line].tolist())
    label = 0
    for made, count in zip(given_sequences, packed.lengths, strict=True):
        tokens = list(made.tokens[: size(made)])
        assert not tokens or any(line[: len(tokens)] == tokens for line in lines)
        wanted = [at for at in range(1, size(made) + 1) if made.labels[at]]
        assert packed.targets[label : label + count].tolist() == [made.tokens[at] for at in wanted]
        assert packed.positions[packed.predictors[label : label + count]].tolist() == [at - 1 for at in wanted]
        label += count
    starts = [start for start, _, _ in packed.pieces]
    assert starts == sorted(starts)
    assert sum(end - start for start, end, _ in packed.pieces) == len(packed.tokens)
