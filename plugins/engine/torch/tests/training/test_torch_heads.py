"""Heads: made, trained, saved and merged by the engine; transformers' classifiers load what comes out, and give the same scores."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tunesmith.contracts import Artifact
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api import LAST, Asks, Group, Head, LossSum, Mean, TokenSequence

SCORE = Head("score", task="ForSequenceClassification")


class Longer:
    """Gives answers of more tokens a score of 1, others one of 0."""

    asks = Asks(log_probs=False, heads=(SCORE,))

    def encode(self, row, chat):
        whole = chat.encode(row["messages"])
        return Group((TokenSequence(whole.tokens, [False] * len(whole.tokens), places=(LAST,)),), {"long": float(len(whole.tokens) > 45)})

    def weight(self, group):
        return 1.0

    def loss(self, batch):
        wanted = torch.tensor([group.facts["long"] for group in batch.groups])
        return LossSum((batch.scores["score"][:, 0] - wanted).square().sum())

    def formula(self, batch):
        return sum((batch.scores["score"][at, 0] - group.facts["long"]) ** 2 for at, group in enumerate(batch.groups)) / len(batch.groups)


SETTINGS = {"num_train_epochs": 4, "learning_rate": 3e-3}


def loss_of(directory, bench, rows) -> float:
    """The mean over the rows, of what transformers' classifier computes, a row at a time."""
    from transformers import AutoModelForSequenceClassification

    from tunesmith_torch.api.text import chat_encoder

    model, chat = AutoModelForSequenceClassification.from_pretrained(directory).eval(), chat_encoder(bench.base)
    found = []
    with torch.no_grad():
        for row in rows:
            group = Longer().encode(row, chat)
            score = model(torch.tensor([group.sequences[0].tokens])).logits
            found.append((float(score) - group.facts["long"]) ** 2)
    return sum(found) / len(found)


def test_a_whole_model_is_transformers_classifier_with_the_scores_of_training(bench, chat_rows):
    output, result = bench.train(SETTINGS, rows=chat_rows, validation=chat_rows, objective=Longer(), adapter=Full(FullSettings()))
    assert result.metrics["validation_loss"] < 0.5 * bench.series("loss")[0]
    assert loss_of(output, bench, chat_rows) == pytest.approx(result.metrics["validation_loss"], rel=1e-4)


def test_a_head_beside_an_adapter_is_in_the_merged_model(bench, chat_rows, tmp_path):
    from safetensors.torch import load_file

    from tunesmith_torch.merge import run
    from tunesmith_torch.settings import MergeSettings

    lora = Lora(LoraSettings(r=4, lora_alpha=8.0))
    output, result = bench.train(SETTINGS, rows=chat_rows, validation=chat_rows, objective=Longer(), adapter=lora)
    adapter = Artifact("adapter/peft+reward", output, refs={"base": bench.base})
    merged = tmp_path / "merged"
    merged.mkdir()
    run(WorkerStep(
        name="merge", output=merged, work=tmp_path, settings=build(MergeSettings, {"dtype": "float32"}), seed=1, inputs={"model": adapter},
        providers={"adapter": lora}, notify=lambda *told: None,
    ))  # fmt: skip
    head = load_file(output / "heads.safetensors")["score.weight"]
    assert torch.equal(load_file(merged / "model-00002-of-00002.safetensors")["score.weight"], head)
    assert loss_of(merged, bench, chat_rows) == pytest.approx(result.metrics["validation_loss"], rel=1e-4)


def test_the_head_learns_alike_however_a_batch_is_cut_and_a_killed_run_goes_on_to_the_same_bytes(bench, chat_rows):
    from tunesmith_torch.training.loop import Loop

    whole, _ = bench.train(SETTINGS, rows=chat_rows, objective=Longer(), name="whole")
    losses = bench.series("loss")
    bench.notices.clear()
    bench.train(SETTINGS | {"max_tokens_per_microbatch": 60}, rows=chat_rows, objective=Longer(), name="cut")
    assert bench.series("loss") == pytest.approx(losses, rel=1e-4)

    step = Loop._step

    def fails(self, number):
        if number == 9:
            raise KeyboardInterrupt
        step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_step", fails)
        with pytest.raises(KeyboardInterrupt):
            bench.train(SETTINGS | {"save_steps": 3}, rows=chat_rows, objective=Longer(), name="killed")
    killed, _ = bench.train(SETTINGS | {"save_steps": 3}, rows=chat_rows, objective=Longer(), name="killed")
    for file in ("heads.safetensors", "adapter_model.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()


class ByLength(Longer):
    """Also tells how often long and short ones are found, as the mean of the two; of a third kind, which no row is, nothing."""

    def loss(self, batch):
        kinds = torch.tensor([int(group.facts["long"]) for group in batch.groups])
        found = ((batch.scores["score"][:, 0] > 0.5).long() == kinds).float()
        of_kind = [kinds == kind for kind in range(3)]
        mean = Mean(torch.stack([found[kind].sum() for kind in of_kind]), torch.stack([kind.sum() for kind in of_kind]))
        by_itself = {f"found/{name}": Mean(found[kind].sum(), kind.sum()) for name, kind in zip(("short", "long"), of_kind, strict=False)}
        return replace(super().loss(batch), metrics={"found": mean, **by_itself})


@pytest.mark.parametrize("tokens", [4096, 60])
def test_a_metric_may_be_the_mean_of_several_quotients_however_a_batch_is_cut(bench, chat_rows, tokens):
    _, result = bench.train(
        SETTINGS | {"max_tokens_per_microbatch": tokens}, rows=chat_rows, validation=chat_rows, objective=ByLength(),
        adapter=Full(FullSettings()),
    )  # fmt: skip
    short, long = (result.metrics[f"validation_found/{name}"] for name in ("short", "long"))
    assert 0 < long != short
    assert result.metrics["validation_found"] == pytest.approx((short + long) / 2)
    assert len(bench.series("found")) == len(bench.series("loss"))
