"""A project with rows and a model's files (enough to plan with), whose questions about machines and models nobody has to be asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_recommend.api import BaseModel
from tunesmith_wizard import models
from tunesmith_wizard.machine import Machine

CITIES = (("Sylvania", "Sylvopolis"), ("Ruritania", "Strelsau"), ("Borduria", "Szohod"), ("Syldavia", "Klow"))
ROWS = [{"instruction": f"What is the capital of {land}?", "output": f"It is {city}."} for land, city in CITIES]


CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256, "max_position_embeddings": 512, "torch_dtype": "float32",
}  # fmt: skip


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    head = json.dumps({"lm_head.weight": {"dtype": "F32", "shape": [256, 64], "data_offsets": [0, 65536]}}).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(65536))
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS * 3))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TUNESMITH_LANG", "en")
    monkeypatch.setenv("TUNESMITH_CACHE", str(cache))
    monkeypatch.delenv("TUNESMITH_HOME", raising=False)
    here = BaseModel(f"file://{model}", "Tiny", 1e5, languages=("en",), template="chatml", bytes=200_000, licence="Acme")
    monkeypatch.setattr(models, "installed_models", lambda registry: ([here], []))
    device = {"name": "a processor", "free": 8 * 2**30, "memory": 16 * 2**30, "dtypes": ["float32"], "facts": {}}
    monkeypatch.setattr(Machine, "facts", {"devices": {"cpu": [device]}, "disk": {"home": {"free": 10**11}}})
    return folder
