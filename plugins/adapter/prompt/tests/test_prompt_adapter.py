"""A soft prompt: what PEFT computes with it, alone, packed, padded and generating."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith_models import ModelShape
from tunesmith_prompt import virtual_tokens
from tunesmith_prompt.adapter import Prompt
from tunesmith_prompt.estimate import parts
from tunesmith_prompt.settings import PromptSettings
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
    model, adapter = load(directory), Prompt(PromptSettings(**({"num_virtual_tokens": 5} | settings)))
    adapter.attach(model, seed=seed)
    return model, adapter


def logits(model, tokens=TOKENS, **more):
    with torch.no_grad():
        return model(tokens, **more).logits


def weight(model):
    (parameter,) = [p for p in model.parameters() if p.requires_grad]
    return parameter


def pefts(directory, values):
    from peft import PromptTuningConfig, get_peft_model

    theirs = get_peft_model(load(directory), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=len(values)))
    theirs.prompt_encoder.default.embedding.weight.data = values.detach().clone()
    return theirs.eval()


@pytest.mark.parametrize("start", ["sample_vocab", "random"])
def test_only_the_embeddings_train_and_they_depend_on_the_seed_alone(directory, start):
    first, again, other = (weight(attached(directory, seed=seed, prompt_tuning_init=start)[0]) for seed in (3, 3, 4))
    assert first.shape == (5, 64)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_loss_and_gradient_are_pefts(directory):
    model, _ = attached(directory)
    theirs = pefts(directory, weight(model))
    labels = TOKENS.clone()
    labels[:, 0] = -100  # PEFT has the last embedding predict the first token
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
    torch.testing.assert_close(logits(theirs)[:, 5:], logits(model), rtol=1e-4, atol=1e-5)
    theirs.save_pretrained(tmp_path / "theirs")
    again = load(directory)
    Prompt(PromptSettings(num_virtual_tokens=1)).load(again, tmp_path / "theirs")  # the files decide, not the settings
    assert torch.equal(logits(again), logits(model))


def test_packed_sequences_are_as_they_are_alone(directory):
    model, _ = attached(directory)
    assert architecture(model).packed
    shared = list(range(10, 30))
    sequences = [
        TokenSequence(tokens, [False] + [True] * (len(tokens) - 1)) for tokens in ([*shared, 40, 41, 42], [*shared, 50, 51], [60, 61, 62])
    ]
    together = pack(sequences)
    assert any(parent >= 0 for _, _, parent in together.pieces)
    alone = [label_log_probs(model, pack([sequence])) for sequence in sequences]
    torch.testing.assert_close(label_log_probs(model, together), torch.cat(alone), rtol=1e-4, atol=1e-5)
    gradients = [torch.autograd.grad(values.sum(), weight(model))[0] for values in (label_log_probs(model, together), torch.cat(alone))]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-4)
    plain = load(directory)
    assert not torch.allclose(label_log_probs(plain, together), torch.cat(alone), atol=1e-3)


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
    other = load(tiny_model(tmp_path / "other", hidden_size=32)) if not change else load(directory)
    with pytest.raises(UserError, match="TS-TRAIN-044"):
        adapter.load(other, tmp_path)


def test_the_estimate_counts_what_trains(directory):
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings={"num_virtual_tokens": 5}))["trainable"] == weight(attached(directory)[0]).numel()


def test_what_stands_before_a_sequence_outlasts_the_modules_parameters(directory):
    """A strategy that divides parameters takes them away when the module's forward pass ends."""
    model, _ = attached(directory)
    wanted = logits(model)
    before = virtual_tokens.of(model)
    whole = before.values.data

    def gather(*_):
        before.values.data = whole

    def free(*_):
        before.values.data = torch.empty(0)

    before.register_forward_pre_hook(gather)
    before.register_forward_hook(free)
    free()
    assert len(before) == 5
    assert torch.equal(logits(model), wanted)
