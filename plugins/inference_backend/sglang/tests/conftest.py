"""A model's configuration, and the engine's command for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Address, Artifact, Engine, Placement
from tunesmith.contracts.settings import build
from tunesmith_serve.settings import ServeSettings
from tunesmith_sglang.backend import SglangBackend
from tunesmith_sglang.settings import SglangSettings

SMOLLM2 = {
    "num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
    "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192, "dtype": "bfloat16",
}  # fmt: skip

Start = Callable[..., Engine]


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    return Artifact("model/hf", tmp_path)


@pytest.fixture
def start(model: Artifact, local_step: Any) -> Start:
    """``start(format="model/awq", **settings)``: how the engine is started on a GPU."""

    def engine(format: str = "model/hf", **settings: Any) -> Engine:
        placement = Placement(device="cuda", dtypes=("float32", "float16", "bfloat16"))
        step = local_step(placement=placement, seed=7, settings=ServeSettings())
        artifact = Artifact(format, model.path)
        made = SglangBackend(build(SglangSettings, settings)).engine(artifact, "bot", Address("127.0.0.1", 8123, ("llm.example",)), step)
        assert made.command[:3] == (sys.executable, "-m", "tunesmith_sglang.server")
        return made

    return engine
