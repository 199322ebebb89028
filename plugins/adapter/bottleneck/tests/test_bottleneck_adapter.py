"""Bottleneck adapters: what they compute, where they stand, and their files."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith_bottleneck.adapter import Bottleneck, adapted
from tunesmith_bottleneck.estimate import parts
from tunesmith_bottleneck.settings import BottleneckSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api.model import label_log_probs, pack
from tunesmith_torch.model.dense.loader import load_dense

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101]])
VARIANTS = [{}, {"placement": "houlsby", "non_linearity": "gelu", "reduction_factor": 5}, {"scaling": 2.0, "non_linearity": "silu"}]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("bottleneck"), initializer_range=0.2)


def load(directory):
    return AutoModelForCausalLM.from_pretrained(directory).eval()


def moved(directory, model=None, **settings):
    """A model whose adapter is no longer at its start."""
    model, adapter = model or load(directory), Bottleneck(BottleneckSettings(**settings))
    adapter.attach(model, seed=3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, layer in sorted(adapted(model)):
            for value in layer.weights().values():
                value += 0.1 * torch.randn(value.shape, generator=generator)
    return model, adapter


def logits(model):
    with torch.no_grad():
        return model(TOKENS).logits


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_at_the_start_the_model_is_the_base(directory, settings):
    model = load(directory)
    Bottleneck(BottleneckSettings(**settings)).attach(model, seed=0)
    assert torch.equal(logits(model), logits(load(directory)))


@pytest.mark.parametrize(("placement", "wanted"), [("pfeiffer", ["mlp.down_proj"]), ("houlsby", ["mlp.down_proj", "self_attn.o_proj"])])
@pytest.mark.parametrize("family", ["llama", "gemma2", "phi", "gpt_neox"])
def test_it_stands_where_its_placement_says_in_any_family(tmp_path, family, placement, wanted):
    model = load(tiny_model(tmp_path, family=family))
    Bottleneck(BottleneckSettings(placement=placement)).attach(model, seed=0)
    ends = {name.split(".", 3)[-1] for name, _ in adapted(model)}
    theirs = {"phi": ["mlp.fc2", "self_attn.dense"], "gpt_neox": ["mlp.dense_4h_to_h", "attention.dense"]}.get(family)
    assert ends == set(wanted if theirs is None else theirs[: len(wanted)])
    assert {name.rsplit(".", 2)[1] for name, p in model.named_parameters() if p.requires_grad} == {"down", "up"}


def test_it_computes_what_its_authors_write(directory):
    model, _ = moved(directory, scaling=2.0)
    layer = model.model.layers[1].mlp.down_proj
    x = torch.randn(5, 128, generator=torch.Generator().manual_seed(0))
    y = x @ layer.base.weight.t()
    inner = (y @ layer.down.weight.t() + layer.down.bias).clamp(min=0)
    torch.testing.assert_close(layer(x), y + 2.0 * (inner @ layer.up.weight.t() + layer.up.bias), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_saved_and_loaded_is_the_same_model(directory, tmp_path, settings):
    model, adapter = moved(directory, **settings)
    adapter.save(model, tmp_path)
    again = load(directory)
    Bottleneck(BottleneckSettings()).load(again, tmp_path)  # the files decide, not the settings
    assert torch.equal(logits(again), logits(model))
    assert not torch.allclose(logits(model), logits(load(directory)), atol=1e-3)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_the_engines_own_decoder_computes_the_same_and_gives_the_same_gradients(directory, settings):
    from tunesmith_torch.api import TokenSequence

    batch = pack([TokenSequence(list(range(start, start + 9)), [False] + [True] * 8) for start in (10, 40)])
    results = []
    for base in (load(directory), load_dense(directory)):
        model, _ = moved(directory, base, **settings)
        values = label_log_probs(model, batch)
        values.sum().backward()
        results.append((values, {f"{n}.{part}": v.grad for n, layer in adapted(model) for part, v in layer.weights().items()}))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-3, atol=1e-4)


def test_reference_is_the_base_and_goes_away_again(directory):
    model, adapter = moved(directory)
    changed = logits(model)
    with adapter.reference(model) as reference:
        assert torch.equal(logits(reference), logits(load(directory)))
    assert torch.equal(logits(model), changed)


def test_it_does_not_merge(directory):
    model, adapter = moved(directory)
    with pytest.raises(TunesmithError, match="TS-TRAIN-045"):
        adapter.merge(model)


@pytest.mark.parametrize("change", [{"bottleneck": 2}, {"activation": "tanh"}, {}], ids=str)
def test_what_does_not_fit_is_refused(directory, tmp_path, change):
    model, adapter = moved(directory)
    adapter.save(model, tmp_path)
    config = tmp_path / "adapter.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    other = load(directory) if change else load(tiny_model(tmp_path / "other", num_hidden_layers=1))
    with pytest.raises(UserError, match="TS-TRAIN-046"):
        adapter.load(other, tmp_path)


def test_a_model_whose_blocks_end_in_no_matrix_is_refused(tmp_path):
    model = load(tiny_model(tmp_path, family="mixtral", num_local_experts=2))
    with pytest.raises(UserError, match="TS-TRAIN-047") as raised:
        Bottleneck(BottleneckSettings()).attach(model, seed=0)
    assert "feed-forward" in raised.value.why


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, settings):
    model, _ = moved(directory, **settings)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    asked = {"placement": "pfeiffer", "reduction_factor": 16} | settings
    assert parts(EstimateRequest(shape.config, settings=asked))["trainable"] == sum(
        p.numel() for p in model.parameters() if p.requires_grad
    )
