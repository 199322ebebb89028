"""Adapters that change as training goes on, and that add to the loss."""

from __future__ import annotations

import shutil

import pytest
import torch

from tunesmith.contracts import Cancelled, Mesh, Placement
from tunesmith_lora.adapter import Lora, adapted
from tunesmith_lora.settings import LoraSettings
from tunesmith_single.strategy import SingleProcess
from tunesmith_torch.training.loss import certificate, gradient_accumulation
from tunesmith_torch.training.train import run

SETTINGS = {"num_train_epochs": 2, "save_steps": 2, "learning_rate": 1e-2, "max_grad_norm": 0.0}


class Fading(Lora):
    """Made up: remembers the gradients it met, and takes from B what they were least of; a penalty on B's size."""

    def __init__(self, weight: float = 0.1) -> None:
        super().__init__(LoraSettings(r=4, lora_dropout=0.2))
        self.weight, self.seen, self.steps = weight, {}, []

    def stepped(self, model, done, total):
        self.steps.append((done, total))
        for name, layer in adapted(model):
            self.seen[name] = self.seen.get(name, 0) + layer.b.grad.abs().mean(0)
            if done % 3 == 0:
                layer.b.data[:, self.seen[name].argmin()] = 0

    def progress(self, model):
        return dict(self.seen)

    def load_progress(self, model, state):
        self.seen = dict(state)

    def penalty(self, model):
        return self.weight * sum(layer.b.square().sum() for _, layer in adapted(model))


class Penalised(Lora):
    """Made up: a penalty, and nothing else."""

    def __init__(self) -> None:
        super().__init__(LoraSettings(r=4))

    penalty, weight = Fading.penalty, 0.1


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_it_is_told_of_every_step_and_of_how_many_there_are(bench, chat_rows):
    adapter = Fading()
    bench.train(SETTINGS, rows=chat_rows, adapter=adapter)
    assert adapter.steps == [(done, 10) for done in range(1, 11)]


@pytest.mark.parametrize("checks", [3, 8])
def test_interrupted_it_ends_in_the_same_bytes(bench, chat_rows, checks):
    whole, _ = bench.train(SETTINGS, rows=chat_rows, name="whole", adapter=Fading())
    step = bench.step(SETTINGS, rows=chat_rows, name="broken", adapter=Fading())
    left = iter(range(checks))

    def count():
        if next(left, None) is None:
            raise Cancelled("broken")

    step.check_cancelled = count
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)
    resumed, _ = bench.train(SETTINGS, rows=chat_rows, name="broken", adapter=Fading())
    assert any("resumed at step" in p.get("message", "") for _, p in bench.notices)
    assert contents(resumed) == contents(whole)


def test_the_penalty_counts_once_however_the_batch_is_cut(bench, chat_rows):
    def train(**settings):
        bench.notices.clear()
        bench.train(SETTINGS | settings, rows=chat_rows, adapter=Penalised())
        return [bench.series(name) for name in ("loss", "penalty", "grad_norm")]

    whole, cut = train(max_tokens_per_microbatch=4096), train(max_tokens_per_microbatch=60)
    torch.testing.assert_close(torch.tensor(cut), torch.tensor(whole), rtol=1e-4, atol=1e-6)
    assert whole[1][0] == 0.0 < whole[1][1]


class Share(SingleProcess):
    """One of two ranks, without the other."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = rank

    def start(self, placement: Placement) -> Mesh:
        super().start(placement)
        return Mesh(torch.device("cpu"), self.rank, 2)


def test_of_several_ranks_the_first_alone_adds_the_penalty(bench, chat_rows, monkeypatch):
    # The other rank's rows are learnt by nobody, which both of these would tell.
    monkeypatch.setattr(gradient_accumulation, "check_learnt", lambda *_: None)
    monkeypatch.setattr(certificate, "BATCHES", 0)

    def penalties(rank):
        bench.notices.clear()
        bench.train(SETTINGS, rows=chat_rows, adapter=Penalised(), strategy=Share(rank), name=f"rank-{rank}")
        return bench.series("penalty")

    assert min(penalties(0)[1:]) > 0
    assert not any(penalties(1))


def test_what_is_reported_as_the_loss_is_the_objectives(bench, chat_rows):
    def first_losses(weight):
        bench.notices.clear()
        bench.train(SETTINGS | {"max_steps": 1}, rows=chat_rows, adapter=Fading(weight), name=f"weight-{weight}")
        return bench.series("loss")

    assert first_losses(0.0) == first_losses(5.0)
