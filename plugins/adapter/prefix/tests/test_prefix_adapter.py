"""A prefix: what PEFT computes with it, alone, in shared rows, padded and generating."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith_models import ModelShape
from tunesmith_prefix.adapter import Prefix
from tunesmith_prefix.estimate import parts
from tunesmith_prefix.settings import PrefixSettings
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, pack
from tunesmith_torch.model.architecture import architecture

TOKENS = torch.randint(3, 300, (2, 14), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=["llama", "qwen3", "gemma2"])
def directory(request, tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp(request.param), family=request.param, initializer_range=0.2)


def load(directory):
    return AutoModelForCausalLM.from_pretrained(directory).eval()


def attached(directory, seed=3, **settings):
    model, adapter = load(directory), Prefix(PrefixSettings(**({"num_virtual_tokens": 5} | settings)))
    adapter.attach(model, seed=seed)
    return model, adapter


def logits(model, tokens=TOKENS, **more):
    with torch.no_grad():
        return model(tokens, **more).logits


def weight(model):
    (parameter,) = [p for p in model.parameters() if p.requires_grad]
    return parameter


def pefts(directory, values):
    from peft import PrefixTuningConfig, get_peft_model

    config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=len(values), token_dim=32, num_attention_heads=2)
    theirs = get_peft_model(load(directory), config)
    theirs.prompt_encoder.default.embedding.weight.data = values.detach().clone()
    return theirs.eval()


@pytest.mark.parametrize("start", ["activations", "random"])
def test_only_the_prefix_trains_and_it_depends_on_the_seed_alone(directory, start):
    first, again, other = (weight(attached(directory, seed=seed, prefix_init=start)[0]) for seed in (3, 3, 4))
    assert first.shape == (5, 2 * 2 * 32)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_loss_and_gradient_are_pefts(directory):
    model, _ = attached(directory)
    theirs = pefts(directory, weight(model))
    labels = TOKENS.clone()
    losses = [each(input_ids=TOKENS, labels=labels).loss for each in (model, theirs)]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=1e-6)
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(weight(model).grad, theirs.prompt_encoder.default.embedding.weight.grad, rtol=1e-3, atol=1e-6)


def test_peft_loads_what_we_save_and_we_what_it_saves(directory, tmp_path):
    from peft import PeftModel

    model, adapter = attached(directory)
    adapter.save(model, tmp_path)
    theirs = PeftModel.from_pretrained(load(directory), tmp_path).eval()
    torch.testing.assert_close(logits(theirs), logits(model), rtol=1e-4, atol=1e-5)
    theirs.save_pretrained(tmp_path / "theirs")
    again = load(directory)
    Prefix(PrefixSettings(num_virtual_tokens=1)).load(again, tmp_path / "theirs")  # the files decide, not the settings
    assert torch.equal(logits(again), logits(model))


def test_packed_rows_are_declined_so_that_each_sequence_has_its_prefix(directory):
    model, _ = attached(directory)
    assert not architecture(model).packed
    assert "prefix" in architecture(model).reason
    sequences = [TokenSequence(tokens, [False] + [True] * (len(tokens) - 1)) for tokens in ([10, 11, 40, 41, 42], [60, 61, 62])]
    alone = [label_log_probs(model, pack([sequence], share=False)) for sequence in sequences]
    together = label_log_probs(model, pack(sequences, share=False))
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        values = torch.log_softmax(model(torch.tensor([sequences[1].tokens])).logits[0].float(), dim=1)
    torch.testing.assert_close(alone[1], values[[0, 1], [61, 62]], rtol=1e-4, atol=1e-5)


def test_gradient_checkpointing_would_leave_it_out_and_is_refused(directory):
    model, _ = attached(directory)
    model.gradient_checkpointing_enable()
    with pytest.raises(UserError, match="TS-TRAIN-043"):
        model.train()(TOKENS)
    with pytest.raises(UserError, match="TS-TRAIN-043"):
        parts(
            EstimateRequest(
                {}, settings={"num_virtual_tokens": 5, "encoder_hidden_size": 0}, step_settings={"gradient_checkpointing": True}
            )
        )


def test_with_a_projection_the_network_trains_and_the_prefix_is_saved(directory, tmp_path):
    model, adapter = attached(directory, encoder_hidden_size=12)
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all(".before." in name for name in names)
    assert len(names) == 5
    model(TOKENS, labels=TOKENS).loss.backward()
    assert all(p.grad.abs().max() > 0 for p in model.parameters() if p.requires_grad)
    adapter.save(model, tmp_path)
    again = load(directory)
    Prefix(PrefixSettings()).load(again, tmp_path)
    torch.testing.assert_close(logits(again), logits(model), rtol=1e-5, atol=1e-6)
    assert weight(again).shape == (5, 128)


def test_it_begins_as_if_the_drawn_words_stood_before_the_text(directory):
    model, _ = attached(directory, seed=3)
    words = torch.randint(0, load(directory).config.vocab_size, (1, 5), generator=torch.Generator().manual_seed(3))
    whole = logits(load(directory), torch.cat([words.expand(2, -1), TOKENS], dim=1))[:, 5:]
    torch.testing.assert_close(logits(model), whole, rtol=1e-4, atol=1e-4)


def test_positions_that_begin_again_are_sequences_of_their_own(directory):
    model, _ = attached(directory)
    row, positions = TOKENS.reshape(1, -1), torch.arange(14).repeat(2)[None]
    torch.testing.assert_close(
        logits(model, row, position_ids=positions, use_cache=False), logits(model).reshape(1, 28, -1), rtol=1e-4, atol=1e-4
    )


def test_padding_on_the_left_changes_nothing(directory):
    model, _ = attached(directory)
    padded = torch.cat([torch.zeros(2, 3, dtype=torch.long), TOKENS], dim=1)
    mask = torch.cat([torch.zeros(2, 3, dtype=torch.long), torch.ones_like(TOKENS)], dim=1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    torch.testing.assert_close(
        logits(model, padded, attention_mask=mask, position_ids=positions)[:, 3:], logits(model), rtol=1e-4, atol=1e-4
    )


def test_generating_with_a_cache_is_generating_without(directory):
    model, _ = attached(directory)
    texts = [
        model.generate(
            TOKENS, attention_mask=torch.ones_like(TOKENS), max_new_tokens=6, do_sample=False, use_cache=use_cache, eos_token_id=None
        )
        for use_cache in (True, False)
    ]
    assert torch.equal(*texts)
    tokens = TOKENS
    for _ in range(6):
        tokens = torch.cat([tokens, logits(model, tokens)[:, -1].argmax(1, keepdim=True)], dim=1)
    assert torch.equal(texts[0], tokens)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    model, adapter = attached(directory)
    changed = logits(model)
    with adapter.reference(model) as reference:
        assert torch.equal(logits(reference), logits(load(directory)))
    assert torch.equal(logits(model), changed)


def test_it_does_not_merge(directory):
    model, adapter = attached(directory)
    with pytest.raises(TunesmithError, match="TS-TRAIN-045"):
        adapter.merge(model)


@pytest.mark.parametrize("change", [{"peft_type": "LORA"}, {}])
def test_what_does_not_fit_is_refused(directory, tmp_path, change):
    model, adapter = attached(directory)
    adapter.save(model, tmp_path)
    config = tmp_path / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    other = load(tiny_model(tmp_path / "other", num_hidden_layers=1)) if not change else load(directory)
    with pytest.raises(UserError, match="TS-TRAIN-044"):
        adapter.load(other, tmp_path)


def test_the_estimate_counts_what_trains(directory):
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    for projection in (0, 7):
        model, _ = attached(directory, encoder_hidden_size=projection)
        counted = sum(p.numel() for p in model.parameters() if p.requires_grad)
        assert (
            parts(EstimateRequest(shape.config, settings={"num_virtual_tokens": 5, "encoder_hidden_size": projection}))["trainable"]
            == counted
        )
