"""What an adapter may do beside: it is asked at the right time, with the right things."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.model.loader import load_model


class Rates(Lora):
    def rates(self, model):
        return {name: 4.0 for name, p in model.named_parameters() if p.requires_grad and name.endswith(".b")}


class Begun(Lora):
    """Counts the tokens that it is shown, and begins with another A."""

    seen = ()

    def begin(self, model, passes):
        assert not model.training
        self.seen = []
        hook = model.get_input_embeddings().register_forward_hook(lambda module, given, output: self.seen.append(given[0].numel()))
        for run in passes:
            run()
        hook.remove()
        for name, parameter in model.named_parameters():
            if name.endswith(".a"):
                parameter.data = torch.full_like(parameter, 0.01 * len(self.seen))


class Brought(Lora):
    def load_base(self, directory, device):
        model = load_model(directory, device)
        model.model.norm.weight.data *= 2
        return model


def first_steps(bench, rows, adapter, name, **settings):
    output, _ = bench.train({"max_steps": 1, "warmup_ratio": 0, **settings}, rows=rows, adapter=adapter, name=name)
    return load_file(output / "adapter_model.safetensors")


def test_the_first_step_of_a_faster_parameter_is_that_much_longer(bench, chat_rows):
    plain = first_steps(bench, chat_rows, Lora(LoraSettings(r=2)), "plain")
    faster = first_steps(bench, chat_rows, Rates(LoraSettings(r=2)), "faster")
    for name, value in plain.items():
        torch.testing.assert_close(faster[name], value * 4 if "lora_B" in name else value)


@pytest.mark.parametrize("max_tokens_per_microbatch", [64, 4096])
def test_it_begins_from_each_token_of_the_first_epoch_once(bench, chat_rows, max_tokens_per_microbatch):
    adapter = Begun(LoraSettings(r=2))
    _, result = bench.train(
        {"num_train_epochs": 1, "max_tokens_per_microbatch": max_tokens_per_microbatch}, rows=chat_rows, adapter=adapter
    )
    assert sum(adapter.seen) == result.metrics["tokens"]


def test_what_it_began_with_is_what_trains_and_a_resumed_run_ends_the_same(bench, chat_rows):
    def train(name, adapter, **more):
        return bench.train({"max_steps": 4, "save_steps": 1, **more}, rows=chat_rows, adapter=adapter, name=name)

    whole, _ = train("whole", Begun(LoraSettings(r=2)))
    train("cut", Begun(LoraSettings(r=2)), max_steps=4)
    newest = sorted((bench.home / "cut" / "work" / "checkpoints").iterdir())[-1]
    shutil.rmtree(newest)
    again, _ = train("cut", Begun(LoraSettings(r=2)))
    assert (again / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()
    other, _ = train("other", Lora(LoraSettings(r=2)))
    assert (other / "adapter_model.safetensors").read_bytes() != (whole / "adapter_model.safetensors").read_bytes()


def test_the_base_is_the_one_that_the_adapter_brings(bench, chat_rows):
    first_steps(bench, chat_rows, Lora(LoraSettings(r=2)), "plain")
    plain = bench.series("loss")
    first_steps(bench, chat_rows, Brought(LoraSettings(r=2)), "brought")
    assert bench.series("loss") != plain


@pytest.mark.parametrize("engines_own", [True, False], ids=["own decoder", "transformers"])
def test_eva_sees_the_layers_inputs_in_either_model(bench, chat_rows, monkeypatch, engines_own):
    monkeypatch.setattr(Lora, "modules_only", engines_own)
    output, _ = bench.train({"max_steps": 2}, rows=chat_rows, adapter=Lora(LoraSettings(r=3, init_lora_weights="eva")))
    ranks = {len(value) for name, value in load_file(output / "adapter_model.safetensors").items() if "lora_A" in name}
    assert len(ranks) > 1
    assert max(ranks) <= 6
