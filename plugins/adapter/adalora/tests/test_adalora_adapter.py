"""AdaLoRA: PEFT's numbers and ranks, and the same after an interruption."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import peft
import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import Artifact, Cancelled, EstimateRequest, Penalising, Stepping, UserError
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_adalora.adapter import Adalora
from tunesmith_adalora.estimate import parts
from tunesmith_adalora.schedule import phases
from tunesmith_adalora.settings import AdaloraSettings
from tunesmith_data.api import message
from tunesmith_models import ModelShape
from tunesmith_peft.reference_check import SEED, base, keeps, logits, packs, steps
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_single.strategy import SingleProcess
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.train import run
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.settings import AdamWSettings

STEPS = 10
SMALL = {"target_r": 2, "init_r": 4, "lora_alpha": 8.0}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("adalora"), initializer_range=0.2)


class WithPenalty(torch.nn.Module):
    """The model with the adapter's penalty in its loss, as the engine adds it."""

    def __init__(self, model, adapter) -> None:
        super().__init__()
        self.model, self.adapter = model, adapter

    def forward(self, *args, **kwargs):
        result = self.model(*args, **kwargs)
        result.loss = result.loss + self.adapter.penalty(self.model)
        return result


def trained(directory, **changes):
    model, adapter = base(directory), Adalora(AdaloraSettings(**SMALL | changes))
    adapter.attach(model, seed=SEED)
    found = steps(WithPenalty(model, adapter), STEPS, lambda done: adapter.stepped(model, done, STEPS))
    return model, adapter, found


@pytest.mark.parametrize(("changes", "phase"), [({}, (1, 2)), ({"tinit_ratio": 0.0, "tfinal_ratio": 0.0, "deltaT": 3}, (0, 0))], ids=str)
def test_losses_gradients_and_ranks_are_those_of_plain_peft(directory, changes, phase):
    _, adapter, ours = trained(directory, **changes)
    torch.manual_seed(SEED)
    config = adapter.config(base(directory))
    config.task_type = "CAUSAL_LM"  # without, PEFT leaves the penalty out
    config.total_step, (config.tinit, config.tfinal) = STEPS, phase
    theirs = peft.get_peft_model(base(directory), config).eval()
    wanted = steps(theirs, STEPS, theirs.base_model.update_and_allocate)
    for (loss, gradients), (their_loss, their_gradients) in zip(ours, wanted, strict=True):
        assert loss == pytest.approx(their_loss, rel=1e-6)
        torch.testing.assert_close(gradients, their_gradients, rtol=1e-4, atol=1e-6)
    ranks = adapter.wrapped.peft_config["default"].rank_pattern
    assert ranks == theirs.peft_config["default"].rank_pattern
    assert sum(map(sum, ranks.values())) == 2 * len(ranks)
    assert len({sum(kept) for kept in ranks.values()}) > 1


def test_it_is_kept_cut_to_its_ranks_merged_and_packed(directory, tmp_path):
    model, adapter, _ = trained(directory)
    packs(model)
    keeps(adapter, model, directory, tmp_path, cut=1e-6)
    left = {name: len(value) for name, value in load_file(tmp_path / "adapter_model.safetensors").items() if "lora_E" in name}
    assert sum(left.values()) == 2 * len(left)
    assert min(left.values()) < 2 < max(left.values())


def test_saving_in_mid_training_changes_nothing_of_it(directory, tmp_path):
    model, adapter, _ = trained(directory)
    before = dict(adapter.progress(model))
    adapter.save(model, tmp_path)
    torch.testing.assert_close(dict(adapter.progress(model)), before, rtol=0, atol=0)
    adapter.stepped(model, STEPS, STEPS)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    model, adapter, _ = trained(directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)


def test_it_says_that_it_is_told_of_steps_and_penalises():
    adapter = Adalora(AdaloraSettings())
    assert isinstance(adapter, Stepping)
    assert isinstance(adapter, Penalising)


@pytest.mark.parametrize(("total", "wanted"), [(1, (0, 0)), (3, (0, 0)), (10, (1, 2)), (100, (10, 20))])
def test_shares_are_steps_once_their_number_is_known(total, wanted):
    assert phases(total, 0.1, 0.2) == wanted


@pytest.mark.parametrize("total", [1, 2])
def test_a_run_too_short_to_tell_what_matters_goes_through(directory, tmp_path, total):
    model, adapter = base(directory), Adalora(AdaloraSettings(**SMALL))
    adapter.attach(model, seed=SEED)
    steps(model, total, lambda done: adapter.stepped(model, done, total))
    adapter.save(model, tmp_path)
    torch.testing.assert_close(logits(peft.PeftModel.from_pretrained(base(directory), tmp_path)), logits(model), rtol=0, atol=1e-5)


class Steps(WorkerStep):
    """Cancelled once it has been asked `left` times whether it is."""

    left = 10**6

    def check_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled(self.name)


def train(directory, home, name, cancel_after=10**6):
    """The engine's `train` over a few rows; cancelled after as many micro-batches."""
    folders = {folder: home / name / folder for folder in ("output", "work", "data")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    rows = [{"messages": [message("user", f"What is {n}?"), message("assistant", "It is so. " * (n % 3 + 1))]} for n in range(12)]
    (folders["data"] / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    values = {"dtype": "float32", "batch_size": 4, "learning_rate": 1e-2, "num_train_epochs": 3, "max_grad_norm": 0.0}
    values |= {"save_steps": 2, "save_time_share": 1.0}
    adapter = Adalora(AdaloraSettings(**SMALL, lora_dropout=0.2))
    step = Steps(
        name=name, output=folders["output"], work=folders["work"], settings=build(TrainSettings, values), seed=5,
        inputs={"model": Artifact("model/hf", directory, digest="a"), "data": Artifact("dataset/chat", folders["data"], digest="b")},
        providers={"objective": SupervisedTuning(), "adapter": adapter, "strategy": SingleProcess(), "optimizer": AdamW(AdamWSettings())},
        notify=lambda method, params: None,
    )  # fmt: skip
    step.left = cancel_after
    try:
        run(step)
    except Cancelled:
        shutil.rmtree(folders["output"])
    return folders["output"]


def test_interrupted_and_resumed_it_ends_in_the_same_ranks_and_bytes(directory, tmp_path):
    whole = train(directory, tmp_path, "whole")
    for checks in (3, 4):
        train(directory, tmp_path, "broken", cancel_after=checks)
    assert list((tmp_path / "broken" / "work" / "checkpoints").glob("step-*"))
    resumed = train(directory, tmp_path, "broken")
    contents = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in (whole, resumed)]
    assert contents[0] == contents[1]
    ranks = json.loads(contents[0]["adapter_config.json"])["rank_pattern"]
    assert sum(map(sum, ranks.values())) == 2 * len(ranks)
    assert "penalty" in contents[0]["training_log.jsonl"].decode()


@pytest.mark.parametrize("changes", [{}, {"target_modules": ["q_proj", "up_proj"]}], ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = AdaloraSettings(**SMALL | changes)
    model = base(directory)
    Adalora(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


@pytest.mark.parametrize("changes", [{"target_r": 12}, {"tinit_ratio": 0.6, "tfinal_ratio": 0.4}], ids=str)
def test_settings_that_leave_nothing_to_allocate_are_refused_in_the_plan(changes):
    with pytest.raises(UserError, match="TS-TRAIN-037"):
        parts(EstimateRequest({}, settings=asdict(AdaloraSettings(**changes))))
