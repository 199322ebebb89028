"""An adapter that is trained further by a later step: from where it was, and compared with what it was."""

from __future__ import annotations

import math

import pytest

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_bottleneck.adapter import Bottleneck
from tunesmith_bottleneck.settings import BottleneckSettings
from tunesmith_dora.adapter import Dora
from tunesmith_dora.settings import DoraSettings
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings

ADAPTERS = {
    "lora": lambda: Lora(LoraSettings(r=4)),
    "dora": lambda: Dora(DoraSettings(r=4)),
    "bottleneck": lambda: Bottleneck(BottleneckSettings()),
}
SETTINGS = {"num_train_epochs": 2, "save_steps": 3}


def began(bench, rows, adapter) -> tuple[Artifact, float]:
    """What a first step made, and its validation loss on the rows."""
    output, result = bench.train(SETTINGS, rows=rows, validation=rows, adapter=ADAPTERS[adapter](), name="first")
    return Artifact("adapter/peft", output, digest="sha256:first", refs={"base": bench.base}), result.metrics["validation_loss"]


def going_on(bench, artifact: Artifact) -> None:
    def put(step):
        step.inputs |= {"model": artifact}

    bench.before = put
    bench.notices.clear()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_goes_on_where_it_was(bench, chat_rows, adapter):
    first, loss = began(bench, chat_rows, adapter)
    going_on(bench, first)
    _, result = bench.train({"batch_size": 20, "max_steps": 1}, rows=chat_rows, adapter=ADAPTERS[adapter](), name="second")
    assert bench.series("loss")[0] == pytest.approx(loss, rel=1e-4)
    assert result.refs == {"base": bench.base.digest}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_it_is_compared_with_is_itself_as_it_was(bench, chat_rows, preference_rows, adapter):
    """Without a change the loss is that of a coin; with the bare base as the reference it would be another."""
    first, _ = began(bench, chat_rows, adapter)
    going_on(bench, first)
    objective = DirectPreference(PreferenceSettings())
    bench.train({"num_train_epochs": 4}, rows=preference_rows, objective=objective, adapter=ADAPTERS[adapter](), name="second")
    assert bench.series("loss")[0] == pytest.approx(math.log(2), rel=1e-5)
    assert bench.series("loss")[-1] < math.log(2)


def test_killed_it_goes_on_to_the_same_bytes(bench, chat_rows, preference_rows):
    from tunesmith_torch.training.loop import Loop

    first, _ = began(bench, chat_rows, "lora")
    going_on(bench, first)
    more = {"rows": preference_rows, "objective": DirectPreference(PreferenceSettings())}
    whole, _ = bench.train(SETTINGS, adapter=ADAPTERS["lora"](), name="whole", **more)
    step = Loop._step

    def fails(self, number):
        if number == 4:
            raise KeyboardInterrupt
        step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_step", fails)
        with pytest.raises(KeyboardInterrupt):
            bench.train(SETTINGS, adapter=ADAPTERS["lora"](), name="killed", **more)
    killed, _ = bench.train(SETTINGS, adapter=ADAPTERS["lora"](), name="killed", **more)
    assert (killed / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()


def test_one_that_does_not_say_what_it_lies_on_is_refused(bench, chat_rows, tmp_path):
    going_on(bench, Artifact("adapter/peft", tmp_path))
    with pytest.raises(TunesmithError, match="TS-TRAIN-007"):
        bench.train(rows=chat_rows)
