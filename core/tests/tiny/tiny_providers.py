"""Providers that do next to nothing, one per kernel verb."""

from __future__ import annotations

import json

from tunesmith.contracts import Evaluation, ModelInfo, Result, UserError


class Shelf:
    """A model loader whose models are texts; counts how often it is asked."""

    def resolve(self, uri: str, step) -> ModelInfo:
        if uri.endswith("nothing"):
            raise UserError("TS-MODEL-001", f"there is no {uri}")
        if uri.endswith("bug"):
            raise ValueError("a loader's mistake")
        step.progress(1, 1, what="asking")
        fetch = {"text": uri, "layouts": step.facts.get("layouts", [])}
        return ModelInfo(uri, "r1", "model/text", {"weights": {"size": 3}}, {"hidden_size": 8}, fetch)

    def fetch(self, info: ModelInfo, output, step) -> None:
        (output / "weights").write_text(info.fetch["text"])
        (output / "config.json").write_text(json.dumps(info.config))


class Pairs:
    """A dataset format: ``{"q": ..., "a": ...}``."""

    def convert(self, row):
        if not row["a"]:
            raise UserError("TS-DATA-020", "the answer is empty", fix="Write one.")
        turns = (("user", row["q"]), ("assistant", row["a"]))
        return {"messages": [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in turns]}


def read(data):
    """The rows of a dataset."""
    return [json.loads(line) for line in (data.path / "rows.jsonl").read_text().splitlines()] if data else []


class Shorter:
    """A quantizer that keeps every second letter, calibrated on the number of rows."""

    def quantize(self, model, output, calibration, step):
        text = (model.path / "weights").read_text()[::2]
        (output / "weights").write_text(text)
        (output / "config.json").write_text("{}")
        return Result(metrics={"rows": sum(1 for _ in read(calibration))})


class Card:
    """An exporter."""

    def export(self, source, output, step):
        (output / "card.md").write_text(source.format)


class Letters:
    """An evaluator: the number of letters of the model, a sample per row."""

    def evaluate(self, subject, data, step):
        letters = len((subject.path / "weights").read_text())
        samples = [{"prompt": row["messages"][0]["content"][0]["text"], "answer": "é", "score": 1.0} for row in read(data)]
        return Evaluation({"letters": letters}, samples)
