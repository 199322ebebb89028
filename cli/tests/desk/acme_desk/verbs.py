"""The made-up verbs."""

from __future__ import annotations

import json

from tunesmith.contracts import Address, Result, TunesmithError, UserError
from tunesmith_data.api import read_rows


def teach(step) -> Result:
    rows = list(read_rows(step.inputs["data"].path))
    for number in range(int(step.settings.epochs)):
        step.check_cancelled()
        step.metric("loss", 1.0 / (number + 1), number)
        step.progress(number + 1, step.settings.epochs, what="lessons", unit="epochs")
    step.log("the pupil is tired", "warning")
    step.decide("learn quietly", "the room is small")
    if step.settings.fail == "user":
        raise UserError("TS-DATA-020", "a row is wrong", fix="Fix it.")
    if step.settings.fail == "run":
        raise TunesmithError("TS-RUN-011", "the beads fell off", fix="Pick them up.")
    text = (step.inputs["model"].path / "text").read_text()
    (step.output / "text").write_text(text + str(step.provider("adapter").angle))
    return Result(metrics={"loss": 0.5, "rows": float(len(rows))})


def fold(step) -> None:
    (step.output / "text").write_text((step.inputs["model"].path / "text").read_text() + " folded")


def spell(step) -> None:
    turns = [{"role": "user", "start": 0, "stop": 1}, {"role": "assistant", "start": 1, "stop": 2}]
    sequence = {"name": "", "tokens": [1, 2], "texts": ["who", "me"], "labels": [False, True], "turns": turns, "doubts": [], "media": []}
    lines = [{"row": 1, "sequences": [sequence]}, {"rows": 1, "broken": 0, "lengths": [2], "max_length": 8}]
    (step.output / "preview.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def serve(step) -> None:
    address = Address(step.settings.host, step.settings.port)
    step.provider("inference_backend").serve(step.inputs["model"], step.pipeline, address, step)
