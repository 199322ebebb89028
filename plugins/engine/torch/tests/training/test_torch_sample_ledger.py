"""The ledger of samples says which rows each step has learnt from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Cancelled, TunesmithError
from tunesmith_single.strategy import SingleProcess
from tunesmith_torch.training.train import run


def ledger(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "samples.jsonl").read_text().splitlines()]


def test_each_epoch_has_each_row_once_by_its_number_in_the_data(bench, chat_rows):
    question, answer = chat_rows[0]["messages"]
    long = {"messages": [question, answer | {"content": [{"type": "text", "text": "yes " * 500}]}]}
    rows = [long if number in (3, 8) else row for number, row in enumerate(chat_rows, 1)]
    output, _ = bench.train({"num_train_epochs": 2, "batch_size": 5, "max_length": 500, "truncation": "drop"}, rows=rows)
    found = ledger(output)
    assert [line["step"] for line in found] == list(range(1, len(found) + 1))
    learnt = [number for number in range(1, 21) if number not in (3, 8)]
    for epoch in (1, 2):
        assert sorted(row for line in found if line["epoch"] == epoch for row in line["rows"]) == learnt


def test_rows_that_are_held_out_are_in_no_step(bench, chat_rows):
    output, result = bench.train({"validation_split": 0.25}, rows=chat_rows)
    rows = [row for line in ledger(output) for row in line["rows"]]
    assert len(set(rows)) == len(rows) == 20 - result.meta["validation_rows"] == 15


def test_a_ledger_that_was_cut_short_makes_training_begin_anew(bench, chat_rows):
    settings = {"num_train_epochs": 2, "save_steps": 2, "max_tokens_per_microbatch": 90}
    whole, _ = bench.train(settings, rows=chat_rows, name="whole")
    step = bench.step(settings, rows=chat_rows, name="broken")
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1
        if asked > 14:
            raise Cancelled("broken")

    step.check_cancelled = count
    with pytest.raises(Cancelled):
        run(step)
    shutil.rmtree(step.output)
    kept = step.work / "samples.jsonl"
    kept.write_text("".join(kept.read_text().splitlines(keepends=True)[:-1]))
    again, _ = bench.train(settings, rows=chat_rows, name="broken")
    assert ledger(again) == ledger(whole)
    assert any("ledger of samples is damaged" in notice.get("message", "") for _, notice in bench.notices)


@pytest.mark.parametrize(("left", "told"), [(slice(1, None), "0 times"), (slice(None), "2 times")], ids=["left-out", "twice"])
def test_a_strategy_that_leaves_rows_out_or_takes_them_twice_is_found(bench, chat_rows, left, told):
    class Careless(SingleProcess):
        def prepare(self, source, optimizer):
            training = super().prepare(source, optimizer)
            rightly = training.forward_backward

            def forward_backward(batches, loss):
                if told == "2 times":
                    rightly(batches, loss)
                for at in range(len(batches))[left]:
                    rightly([batches[at]], lambda output, _, at=at: loss(output, at))

            training.forward_backward = forward_backward
            return training

    with pytest.raises(TunesmithError, match="TS-TRAIN-086") as raised:
        bench.train({"max_tokens_per_microbatch": 60}, rows=chat_rows, strategy=Careless())
    assert told in str(raised.value)


def test_the_losses_of_the_rows_are_those_of_the_batch_however_it_is_cut(bench, chat_rows):
    """The batch's loss is the mean over its trained tokens, of which a row has as many as its answer is long."""
    found = []
    for name, tokens in (("whole", 4096), ("cut", 60)):
        settings = {"batch_size": 4, "max_steps": 3, "max_tokens_per_microbatch": tokens}
        found.append(ledger(bench.train(settings, rows=chat_rows, name=name)[0]))
    for whole, cut in zip(*found, strict=True):
        assert whole["rows"] == cut["rows"]
        assert whole["losses"] == pytest.approx(cut["losses"], rel=2e-3)
    first = found[0][0]
    losses, batch = first["losses"], bench.series("loss")[0]
    assert min(losses) <= batch <= max(losses)
    assert len(losses) == len(first["rows"]) == 4


def test_a_row_that_is_alone_in_its_batch_has_the_loss_of_the_batch(bench, chat_rows):
    output, _ = bench.train({"batch_size": 1, "max_steps": 3}, rows=chat_rows)
    assert [loss for line in ledger(output) for loss in line["losses"]] == pytest.approx(bench.series("loss")[:3], rel=1e-3)


def test_the_peak_of_memory_and_the_seconds_of_each_step_are_told(bench, chat_rows):
    bench.train({"max_steps": 2}, rows=chat_rows)
    assert len(bench.series("step_seconds")) == 2
    (peak,) = bench.series("peak_memory")
    assert 2**26 < peak < 2**38
    (none,) = bench.series("checkpoint_bytes")
    bench.train({"max_steps": 2, "save_steps": 1}, rows=chat_rows, name="saving")
    assert bench.series("checkpoint_bytes")[-1] > 4 * max(1.0, none)
