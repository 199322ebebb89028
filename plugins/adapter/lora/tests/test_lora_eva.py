"""LoRA that begins from the data (EVA), and whose B learns faster (LoRA+): against PEFT's own."""

from __future__ import annotations

import json
from itertools import cycle, islice

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith_lora import eva
from tunesmith_lora.adapter import Lora, adapted
from tunesmith_lora.settings import LoraSettings
from tunesmith_sdk.tiny_models import tiny_model

R = 3
BATCHES = [torch.randint(3, 300, (4, 40), generator=torch.Generator().manual_seed(n)) for n in range(3)]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("eva"), initializer_range=0.2)


def load(directory):
    """Its hidden states vary in few directions, as trained models' do: in a flat spectrum any directions are as good as any others."""
    model = AutoModelForCausalLM.from_pretrained(directory).eval()
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(64, 64, generator=generator)).Q
    model.get_input_embeddings().weight.data @= turn * 0.6 ** torch.arange(64) @ turn.t()
    return model


def begun(directory, passes=20, **changes):
    model, adapter = load(directory), Lora(LoraSettings(**({"r": R, "init_lora_weights": "eva"} | changes)))
    adapter.attach(model, seed=0)
    with torch.no_grad():
        adapter.begin(model, [lambda batch=batch: model(batch) for batch in islice(cycle(BATCHES), passes)])
    return model, adapter


def logits(model):
    with torch.no_grad():
        return model(BATCHES[0]).logits


@pytest.mark.parametrize("spread", [1.0, 2.0])
def test_it_begins_as_peft_does_on_the_same_batches(directory, spread):
    from peft import LoraConfig
    from peft.tuners.lora import EvaConfig
    from peft.tuners.lora.eva import get_eva_state_dict

    config = LoraConfig(r=R, target_modules="all-linear", init_lora_weights="eva", eva_config=EvaConfig(rho=spread, use_label_mask=False))
    config.target_modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    theirs = get_eva_state_dict(load(directory), [{"input_ids": batch} for batch in BATCHES], config, show_progress_bar=False)
    model, _ = begun(directory, eva_rho=spread, passes=200)
    ours = {name: layer.a for name, layer in adapted(model)}
    assert sum(map(len, ours.values())) == R * 14
    for reading in (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")):  # between equals PEFT shares out by chance
        for name in [name for name in theirs if name.endswith(reading)]:
            theirs[name] = max(
                (theirs[n] for n in theirs if n.rsplit(".", 1)[0] == name.rsplit(".", 1)[0] and n.endswith(reading)), key=len
            )
    likeness = []
    for name, a in ours.items():
        assert len(a) <= len(theirs[name]) <= len(a) + 1
        likeness.append(torch.cosine_similarity(a.detach(), theirs[name][: len(a)].float()))
    assert torch.cat(likeness).min() > 0.95  # PEFT projects by other random numbers, and where directions matter equally they differ
    assert torch.cat(likeness).mean() > 0.998


def test_at_its_start_the_model_is_the_base_and_ranks_have_moved(directory):
    model, _ = begun(directory)
    ranks = [len(layer.a) for _, layer in adapted(model)]
    assert len(set(ranks)) > 1
    assert max(ranks) <= 2 * R
    assert torch.equal(logits(model), logits(load(directory)))


def test_portions_give_the_directions_that_all_rows_at_once_do():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(300, 12, generator=generator, dtype=torch.float64) * 0.6 ** torch.arange(12) + 3
    found = eva.Components(4)
    for portion in rows.split([2, 50, 120, 128]):  # the first is too small to be looked at alone
        found.add(portion)
    _, strengths, right = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    torch.testing.assert_close(found.strengths, strengths[:4], rtol=2e-2, atol=0)
    assert (torch.cosine_similarity(found.directions, right[:4]).abs() > 0.99).all()
    assert found.shares.sum() == pytest.approx(float((strengths[:4] ** 2).sum() / (strengths**2).sum()), rel=2e-2)


def test_too_few_tokens_leave_the_random_start(directory):
    model, adapter = load(directory), Lora(LoraSettings(r=R, init_lora_weights="eva"))
    adapter.attach(model, seed=0)
    before = {name: layer.a.detach().clone() for name, layer in adapted(model)}
    adapter.begin(model, [lambda: model(BATCHES[0][:1, :4])])
    assert all(torch.equal(layer.a, before[name]) for name, layer in adapted(model))


def test_ranks_of_its_own_are_saved_so_that_we_and_peft_load_them(directory, tmp_path):
    from peft import PeftModel

    model, adapter = begun(directory)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    wanted = logits(model)
    adapter.save(model, tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["rank_pattern"]
    again = load(directory)
    Lora(LoraSettings()).load(again, tmp_path)
    assert torch.equal(logits(again), wanted)
    torch.testing.assert_close(logits(PeftModel.from_pretrained(load(directory), tmp_path)), wanted, rtol=1e-4, atol=2e-5)
    torch.testing.assert_close(logits(adapter.merge(model)), wanted, rtol=1e-4, atol=2e-5)


def test_lora_plus_gives_b_the_rate_that_peft_gives_it(directory):
    from peft import LoraConfig, get_peft_model
    from peft.optimizers import create_loraplus_optimizer

    theirs = get_peft_model(load(directory), LoraConfig(r=R, target_modules=["q_proj", "down_proj"]))
    groups = create_loraplus_optimizer(theirs, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=8.0).param_groups
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    theirs_by_kind = {"ab"["lora_B" in name]: rates[id(p)] for name, p in theirs.named_parameters() if p.requires_grad}
    model, adapter = load(directory), Lora(LoraSettings(r=R, loraplus_lr_ratio=8.0, target_modules=["q_proj", "down_proj"]))
    adapter.attach(model, seed=0)
    ours = adapter.rates(model)
    training = {name for name, p in model.named_parameters() if p.requires_grad}
    assert ours.keys() <= training
    assert {name[-1]: 1e-3 * ours.get(name, 1.0) for name in training} == pytest.approx(theirs_by_kind)
    assert Lora(LoraSettings()).rates(model) == {}
