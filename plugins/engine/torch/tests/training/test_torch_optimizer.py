"""What the engine tells an optimizer, and what it does with one: rates, decay, embeddings, its own schedule, averages."""

from __future__ import annotations

import pytest
import torch

from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api import Trained, parameter_groups
from tunesmith_torch.training.lr_scheduler import set_rate
from tunesmith_torch.training.optimizer import in_use, put_in_use


class Descent:
    """A plain optimizer that keeps what it is told.

    Args:
        averaging: with a schedule of its own, and weights in use that are not those it trains.
    """

    def __init__(self, averaging: bool = False) -> None:
        self.told: list[Trained] = []
        self.rates: list[float] = []
        if averaging:
            self.schedule = lambda: "constant"
        self.kind = Averaged if averaging else torch.optim.SGD

    def build(self, parameters, *, learning_rate, device):
        self.told = list(parameters)
        made = self.kind(parameter_groups(parameters, learning_rate=learning_rate))
        made.register_step_pre_hook(lambda optimizer, *_: self.rates.append(optimizer.param_groups[0]["lr"]))
        return made


class Averaged(torch.optim.SGD):
    """In use are weights that are a little larger than those that train."""

    @torch.no_grad()
    def eval(self):
        for group in self.param_groups:
            for one in group["params"]:
                one.mul_(1.1)

    @torch.no_grad()
    def train(self):
        for group in self.param_groups:
            for one in group["params"]:
                one.div_(1.1)


FEW = {"max_steps": 4, "warmup_ratio": 0.0, "learning_rate": 0.01}


def test_an_optimizer_is_told_what_is_to_be_decayed_and_what_belongs_to_tokens(bench, chat_rows):
    optimizer = Descent()
    bench.train({**FEW, "max_steps": 1}, rows=chat_rows, adapter=Full(FullSettings()), optimizer=optimizer)
    told = {one.name: one for one in optimizer.told}
    assert (
        {name for name, one in told.items() if one.embedding}
        == {name for name in told if "embed_tokens" in name or "lm_head" in name}
        != set()
    )
    assert {name for name, one in told.items() if not one.decay} == {name for name in told if "norm" in name} != set()
    assert {one.rate for one in told.values()} == {1.0}


def test_an_adapter_s_own_rates_reach_the_optimizer(bench, chat_rows):
    optimizer = Descent()
    bench.train({**FEW, "max_steps": 1}, rows=chat_rows, adapter=Lora(LoraSettings(r=2, loraplus_lr_ratio=4.0)), optimizer=optimizer)
    fast = {one.name for one in optimizer.told if one.rate == 4.0}
    assert fast == {one.name for one in optimizer.told if one.name.endswith(".b")} != set()


def test_the_rate_is_multiplied_with_each_group_s_factor():
    one, other = (torch.nn.Parameter(torch.ones(1)) for _ in "ab")
    made = torch.optim.SGD(parameter_groups([Trained("one", one), Trained("other", other, rate=16.0)], learning_rate=0.5))
    assert [group["lr"] for group in made.param_groups] == [0.5, 8.0]
    set_rate(made, 0.25)
    assert [group["lr"] for group in made.param_groups] == [0.25, 4.0]


@pytest.mark.parametrize(
    ("averaging", "schedule", "falls"), [(False, "auto", True), (True, "auto", False), (True, "linear", True), (False, "constant", False)]
)
def test_the_schedule_is_the_user_s_or_the_optimizer_s_or_the_usual_one(bench, chat_rows, averaging, schedule, falls):
    optimizer = Descent(averaging)
    bench.train({**FEW, "lr_scheduler_type": schedule}, rows=chat_rows, optimizer=optimizer)
    assert (optimizer.rates[-1] < 0.9 * optimizer.rates[0]) is falls
    said = [params["what"] for method, params in bench.notices if method == "$/decision"]
    assert ("schedule constant" in said) is (averaging and schedule == "auto")


def test_what_is_saved_are_the_weights_in_use(bench, chat_rows):
    from safetensors.torch import load_file

    saved = {}
    for averaging in (False, True):
        settings = {**FEW, "lr_scheduler_type": "constant"}
        output, _ = bench.train(settings, rows=chat_rows, optimizer=Descent(averaging), name=f"averaging-{averaging}")
        saved[averaging] = load_file(output / "adapter_model.safetensors")
    for name, value in saved[False].items():
        torch.testing.assert_close(saved[True][name], 1.1 * value)


def test_after_looking_at_the_weights_in_use_training_goes_on_bit_for_bit():
    parameter = torch.nn.Parameter(torch.rand(100))
    before, made = parameter.detach().clone(), Averaged([parameter], lr=0.1)
    with in_use(made):
        torch.testing.assert_close(parameter.detach(), 1.1 * before)
    assert torch.equal(parameter, before)
    put_in_use(made)
    torch.testing.assert_close(parameter.detach(), 1.1 * before)
    plain = torch.optim.SGD([parameter], lr=0.1)
    with in_use(plain):
        pass
    put_in_use(plain)
