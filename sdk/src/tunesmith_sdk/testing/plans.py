"""A pipeline's plan as a laptop without a GPU would have it, with a model that nobody has to fetch: for tests of examples and pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import Device, ModelInfo
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import Registry

#: SmolLM2-135M's
CONFIG: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip
CARDS = {"cuda": [Device("a card", 80 << 30, 80 << 30, 1, ("float32", "bfloat16"))] * 2}
LAPTOP = {"cpu": [Device("a laptop's processor", 16 << 30, 12 << 30, 4, ("float32", "bfloat16"))]}


def plan_on_a_laptop(file: Path, registry: Registry, devices: Mapping[str, Sequence[Device]] = LAPTOP) -> Plan:
    """The plan of a pipeline's file. Whatever its models are called, they are SmolLM2-135M; those of ``package://`` as GGUF, one that is
    called pickled with pickled weights.

    Args:
        devices: those of another machine, `CARDS` say.

    Raises:
        TunesmithError: as planning does.
    """

    def resolve(uri: str) -> ModelInfo:
        stored, name = ("model/gguf", "model.gguf") if uri.startswith("package://") else ("model/hf", "model.safetensors")
        if "pickled" in uri:
            stored, name = "model/pickle", "pytorch_model.bin"
        return ModelInfo(uri, "1", stored, {name: {"size": 269_000_000, "sha256": ""}}, CONFIG)

    def digest(path: Path) -> str:  # what is known of one file is not taken for another's
        return hashlib.sha256(str(path).encode()).hexdigest()

    return make_plan(load_pipeline(file), registry, resolve=resolve, devices=devices, digest_of=digest)
