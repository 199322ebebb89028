"""Packed, chunked log-probabilities are those of the plain model, in value and gradient."""

from __future__ import annotations

import pytest
import torch

from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.data.packing import Wanted
from tunesmith_torch.model.architecture import architecture, states
from tunesmith_torch.model.log_probs import label_outputs

FAMILIES = {
    "llama": {}, "qwen2": {}, "qwen3": {}, "mistral": {"sliding_window": 5}, "gemma2": {"sliding_window": 5},
    "llama-tied": {"tie_word_embeddings": True}, "granite": {"logits_scaling": 3.0}, "cohere": {"logit_scale": 0.3},
}  # fmt: skip


def sequences(seed: int = 0) -> list[TokenSequence]:
    generator = torch.Generator().manual_seed(seed)
    made = []
    for length in (9, 3, 17, 5):
        tokens = torch.randint(3, 300, (length,), generator=generator).tolist()
        labels = (torch.rand(length, generator=generator) > 0.5).tolist()
        made.append(TokenSequence(tokens, [False, *labels[1:-1], True]))
    return made


def plainly(model, batch: list[TokenSequence]) -> torch.Tensor:
    """One sequence at a time through the model's own forward, logits of everything at once."""
    values = []
    for sequence in batch:
        tokens = torch.tensor([sequence.tokens])
        log_p = torch.log_softmax(model(input_ids=tokens).logits[0].float(), dim=-1)
        values += [log_p[at - 1, sequence.tokens[at]] for at, label in enumerate(sequence.labels) if label]
    return torch.stack(values)


@pytest.fixture(params=FAMILIES)
def family(request, tmp_path):
    changes = FAMILIES[request.param]
    return tiny_model(tmp_path / "m", family=request.param.partition("-")[0], initializer_range=0.2, **changes)


def test_packed_equals_one_by_one(family):
    model, batch = load_model(family), sequences()
    # transformers' eager attention is the reference: the only one of its own that squeezes Gemma's scores
    expected = plainly(load_eager(family), batch)
    torch.testing.assert_close(label_log_probs(model, pack(batch)), expected, rtol=1e-4, atol=1e-5)


def test_all_families_can_be_packed(family):
    assert architecture(load_model(family)).packed


@pytest.mark.parametrize("rows", [1, 3, 2**20])
@pytest.mark.parametrize("head", ["frozen", "training"])
def test_chunks_change_neither_values_nor_gradients(family, rows, head):
    model, reference, batch = load_model(family), load_eager(family), sequences()
    for each in (model, reference):
        each.requires_grad_(True)
        if head == "frozen":
            each.get_output_embeddings().requires_grad_(False)
    weights = torch.linspace(-1, 1, sum(pack(batch).lengths))
    values = label_log_probs(model, pack(batch), rows=rows)
    (values * weights).sum().backward()
    expected = plainly(reference, batch)
    (expected * weights).sum().backward()
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    compared = 0
    for (name, ours), (_, theirs) in zip(model.named_parameters(), reference.named_parameters(), strict=True):
        if theirs.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=2e-3, atol=2e-5, msg=lambda text, name=name: f"{name}: {text}")
            compared += 1
    assert compared > 10


def load_eager(path):
    model = load_model(path)
    model.set_attn_implementation("eager")
    return model


def test_no_more_logits_exist_at_once_than_a_chunk_holds(tiny, monkeypatch):
    model, batch = load_model(tiny), pack(sequences())
    model.requires_grad_(True)
    model.get_output_embeddings().requires_grad_(False)
    largest = 0
    linear = torch.nn.functional.linear

    def watched(x, weight, bias=None):
        nonlocal largest
        y = linear(x, weight, bias)
        if weight is model.get_output_embeddings().weight:
            largest = max(largest, y.shape[0])
        return y

    architecture(model)
    monkeypatch.setattr(torch.nn.functional, "linear", watched)
    label_log_probs(model, batch, rows=2).sum().backward()
    assert largest == 2


def test_a_sequence_does_not_change_its_neighbours(tiny):
    model = load_model(tiny)
    first, second = sequences(0)[0], sequences(1)[2]
    alone = label_log_probs(model, pack([second]))
    together = label_log_probs(model, pack([first, second]))[-len(alone) :]
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_tokens_after_the_last_label_are_not_computed():
    packed = pack([TokenSequence([5, 6, 7, 8, 9], [False, False, True, False, False]), TokenSequence([1, 2], [False, False])])
    assert packed.tokens.tolist() == [5, 6]
    assert packed.targets.tolist() == [7]
    assert packed.lengths == (1, 0)
    assert packed.pieces == ((0, 2, -1),)


def test_a_model_that_can_not_be_packed_runs_one_by_one(tmp_path):
    """A state-space model carries a state from token to token, which no attention function can cut."""
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    config = MambaConfig(vocab_size=320, hidden_size=32, num_hidden_layers=2, state_size=8, initializer_range=0.5)
    MambaForCausalLM(config).save_pretrained(tmp_path)
    model, batch = load_model(tmp_path), sequences()
    assert not architecture(model).packed
    torch.testing.assert_close(label_log_probs(model, pack(batch)), plainly(model, batch), rtol=1e-4, atol=1e-5)


def test_after_packing_the_model_still_runs_padded_batches(tiny):
    model, plain = load_model(tiny), load_model(tiny)
    label_log_probs(model, pack(sequences()))
    tokens = torch.tensor([[0, 0, 5, 6, 7], [9, 8, 7, 6, 5]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    torch.testing.assert_close(
        model(tokens, attention_mask=mask).logits[mask.bool()], plain(tokens, attention_mask=mask).logits[mask.bool()]
    )
    ours, theirs = (m.generate(tokens, attention_mask=mask, max_new_tokens=5, do_sample=False) for m in (model, plain))
    assert torch.equal(ours, theirs)


def test_bfloat16_is_close_to_float32(tiny):
    batch = pack(sequences())
    exact, rounded = (label_log_probs(load_model(tiny, dtype=dtype), batch) for dtype in ("float32", "bfloat16"))
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.02)
    assert rounded.dtype == torch.float32


@pytest.mark.parametrize("head", ["frozen", "training"])
@pytest.mark.parametrize("wanted", [Wanted(entropy="value"), Wanted(log_sum_sq=True), Wanted(entropy="value", log_sum_sq=True)], ids=str)
def test_what_is_told_of_the_distribution_is_that_of_its_probabilities(tiny, head, wanted):
    model, batch = load_model(tiny), sequences()
    model.requires_grad_(head == "training")
    packed = pack(batch, wanted=wanted)
    found = label_outputs(model, states(model, packed, architecture(model))[: len(packed.predictors)], packed, architecture(model), rows=3)
    probabilities = []
    for sequence in batch:
        given = model(input_ids=torch.tensor([sequence.tokens])).logits[0].float().softmax(-1)
        probabilities += [given[at - 1] for at, label in enumerate(sequence.labels) if label]
    p = torch.stack(probabilities)
    expected = {"entropy": -(p * p.log()).sum(1), "log_sum_sq": (p**2).sum(1).log()}
    asked = {name for name in expected if getattr(wanted, name)}
    assert found.keys() == {"log_probs"} | asked
    for name in asked:
        assert not found[name].requires_grad
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-5)
