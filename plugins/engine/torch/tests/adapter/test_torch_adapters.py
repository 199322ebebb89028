"""Adapters of other packages in the loop: each learns, resumes to the same bytes, compares with its reference, and is found again."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import Cancelled
from tunesmith_bottleneck.adapter import Bottleneck
from tunesmith_bottleneck.settings import BottleneckSettings
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_freeze.adapter import Freeze
from tunesmith_freeze.settings import FreezeSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_prefix.adapter import Prefix
from tunesmith_prefix.settings import PrefixSettings
from tunesmith_prompt.adapter import Prompt
from tunesmith_prompt.settings import PromptSettings
from tunesmith_qlora.adapter import Qlora
from tunesmith_qlora.settings import QloraSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.data.packing import pack
from tunesmith_torch.model.loader import load_base, load_model
from tunesmith_torch.model.log_probs import label_log_probs
from tunesmith_torch.training.train import run

ADAPTERS = {
    "lora from data": (lambda: Lora(LoraSettings(r=4, init_lora_weights="eva", loraplus_lr_ratio=4.0)), 1e-2),
    "qlora": (lambda: Qlora(QloraSettings(r=4, lora_dropout=0.1)), 1e-2),
    "freeze": (lambda: Freeze(FreezeSettings(trainable_layers=1, train_lm_head=True)), 3e-3),
    "prompt": (lambda: Prompt(PromptSettings(num_virtual_tokens=4)), 0.1),
    "prefix": (lambda: Prefix(PrefixSettings(num_virtual_tokens=4)), 0.1),
    "projected prefix": (lambda: Prefix(PrefixSettings(num_virtual_tokens=4, encoder_hidden_size=8)), 1e-2),
    "bottleneck": (lambda: Bottleneck(BottleneckSettings(placement="houlsby", reduction_factor=4)), 1e-2),
}


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(params=ADAPTERS)
def adapter(request):
    return ADAPTERS[request.param]


def test_it_learns_and_what_it_saves_is_what_it_learnt(bench, chat_rows, adapter):
    make, rate = adapter
    output, _ = bench.train({"num_train_epochs": 2, "learning_rate": rate, "lr_scheduler_type": "constant"}, rows=chat_rows, adapter=make())
    losses = bench.series("loss")
    assert sum(losses[-3:]) < sum(losses[:3])
    tokens = TokenSequence(list(range(10, 40)), [False] + [True] * 29)
    before = label_log_probs(load_model(bench.base), pack([tokens]))
    fresh = make()
    if (output / "config.json").exists():
        model = load_model(output)
    else:
        model = load_base(bench.base, fresh)
        fresh.load(model, output)
    assert not torch.allclose(label_log_probs(model.eval(), pack([tokens])), before, atol=1e-2)


def test_cancelled_and_resumed_it_ends_in_the_same_bytes(bench, chat_rows, adapter):
    make, rate = adapter
    settings = {"max_steps": 5, "save_steps": 1, "learning_rate": rate}
    whole, _ = bench.train(settings, rows=chat_rows, name="whole", adapter=make())
    step = bench.step(settings, rows=chat_rows, name="broken", adapter=make())
    tell = step.progress

    def stop_after_three(done, total, **more):
        tell(done, total, **more)
        if done == 3 and more.get("what") == "train":
            raise Cancelled("broken")

    step.progress = stop_after_three
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)  # as the worker does: an output is empty at the start
    resumed, _ = bench.train(settings, rows=chat_rows, name="broken", adapter=make())
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert contents(resumed) == contents(whole)


@pytest.mark.slow
def test_it_learns_from_preferences_against_its_reference(bench, preference_rows, adapter):
    make, rate = adapter
    objective = DirectPreference(PreferenceSettings(beta=0.5))
    bench.train({"num_train_epochs": 5, "learning_rate": rate / 2}, rows=preference_rows[:4], objective=objective, adapter=make())
    losses = bench.series("loss")
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_validating_after_each_step_changes_nothing_of_a_base_in_4_bits(bench, chat_rows, precision):
    settings = {"max_steps": 4, "dtype": precision, "load_best_model_at_end": False}
    plain, _ = bench.train(settings, rows=chat_rows, adapter=Qlora(QloraSettings(r=4)), name="plain")
    wanted = bench.series("loss")
    more = {"validation": chat_rows[:3], "adapter": Qlora(QloraSettings(r=4)), "name": "validated"}
    validated, _ = bench.train({**settings, "eval_steps": 1}, rows=chat_rows, **more)
    assert bench.series("loss") == wanted
    for name, value in load_file(plain / "adapter_model.safetensors").items():
        assert torch.equal(load_file(validated / "adapter_model.safetensors")[name], value)
