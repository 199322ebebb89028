"""A step that runs in the test's process, and small real model files."""

import json
import struct
from pathlib import Path

import pytest


class LocalStep:
    """The part of `tunesmith.contracts.step.Step` that a loader uses."""

    name, settings, inputs, seed = "model", None, {}, 0

    def __init__(self, directory: Path):
        self.output, self.work = directory / "output", directory / "work"
        self.output.mkdir(parents=True)
        self.work.mkdir()
        self.reports: list[tuple[str, float, float | None]] = []
        self.cancelled = False

    def progress(self, done, total=None, *, what="", unit=""):
        self.reports.append((what, done, total))

    def log(self, message, level="info"):
        pass

    def check_cancelled(self):
        if self.cancelled:
            from tunesmith.errors import Cancelled

            raise Cancelled


@pytest.fixture
def step(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    return LocalStep(tmp_path / "step")


def write_safetensors(path: Path, tensors: dict[str, list[float]]) -> None:
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.fixture
def hf_model(tmp_path):
    """A directory as `save_pretrained` leaves it, with what a training run may leave beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    config = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 11}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "trainer_state.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling_evil.py").write_text("raise SystemExit")
    write_safetensors(folder / "model.safetensors", {"a": [1.0, 2.0], "b": [3.0]})
    return folder
